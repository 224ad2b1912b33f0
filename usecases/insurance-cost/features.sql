-- The features of a policyholder, from the view `policies` (silver). One row in, one row out; nothing here looks at charges,
-- which only pass through as the label. smoker, age_group and bmi_category are carried for business rules and slices.
WITH risks AS (
  SELECT
    *,
    CASE WHEN age < 25 THEN 1 WHEN age < 35 THEN 2 WHEN age < 50 THEN 3 WHEN age < 65 THEN 4 ELSE 5 END AS age_risk
  FROM policies
)
SELECT
  customer_id,
  recorded_at,

  age,
  bmi,
  children,
  age_risk AS age_risk_score,
  (age * CASE WHEN smoker THEN 2.5 ELSE 1.0 END)::DOUBLE AS smoking_impact,
  (1 + 0.15 * children)::DOUBLE AS family_size_factor,
  (CASE region WHEN 'NORTHEAST' THEN 1.2 WHEN 'NORTHWEST' THEN 1.1 WHEN 'SOUTHEAST' THEN 1.0 ELSE 0.95 END)::DOUBLE AS regional_multiplier,
  20 * age_risk + CASE WHEN smoker THEN 50 ELSE 0 END + CASE WHEN bmi > 30 THEN 30 ELSE 0 END AS health_risk_composite,
  sex,
  region,

  smoker,
  CASE WHEN age < 30 THEN 'young' WHEN age < 50 THEN 'middle' ELSE 'senior' END AS age_group,
  CASE WHEN bmi < 18.5 THEN 'underweight' WHEN bmi < 25 THEN 'normal' WHEN bmi < 30 THEN 'overweight' ELSE 'obese' END AS bmi_category,

  charges
FROM risks
