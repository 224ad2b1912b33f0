-- The inputs of a claim's probability, from the view `applications` (silver). One row in, one row out; nothing here looks at
-- claim_status, which only passes through as the label. Codes and truth values are categories: no order is read into them.
-- Forty inputs are offered; those of which more than half is missing are refused by the declaration's `maxMissingShare`.
SELECT
  application_id,
  received_at,

  age,
  height_cm,
  weight_kg,
  trunc(weight_kg / (height_cm / 100) ** 2)::INTEGER AS bmi,
  income,
  financial_hist_1,
  financial_hist_2,
  financial_hist_3,
  financial_hist_4,
  credit_score_1,
  credit_score_2,
  credit_score_3,
  insurance_hist_1,
  insurance_hist_2,
  insurance_hist_3,
  insurance_hist_4,
  insurance_hist_5,
  n_dependents,

  gender,
  marital_status,
  occupation,
  location,
  prev_claim_rejected::VARCHAR AS prev_claim_rejected,
  known_health_conditions::VARCHAR AS known_health_conditions,
  uk_residence::VARCHAR AS uk_residence,
  family_history_1::VARCHAR AS family_history_1,
  family_history_2::VARCHAR AS family_history_2,
  family_history_3::VARCHAR AS family_history_3,
  family_history_4::VARCHAR AS family_history_4,
  family_history_5::VARCHAR AS family_history_5,
  product_var_1::VARCHAR AS product_var_1,
  product_var_2::VARCHAR AS product_var_2,
  product_var_3,
  product_var_4::VARCHAR AS product_var_4,
  health_status::VARCHAR AS health_status,
  driving_record::VARCHAR AS driving_record,
  previous_claim_rate::VARCHAR AS previous_claim_rate,
  education_level::VARCHAR AS education_level,
  -- five equal bins of the income; what lies above the fifth counts as in it
  least(income // 50000, 4)::VARCHAR AS income_level,
  employment_type,

  CASE WHEN age < 26 THEN 'under 26' WHEN age < 41 THEN '26 to 40' WHEN age < 61 THEN '41 to 60' ELSE 'over 60' END AS age_band,

  claim_status::INTEGER AS claim_status
FROM applications
