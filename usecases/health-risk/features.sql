-- The features of a patient, from the view `patients` (silver), a dimension of type 2: only the version that holds counts, the
-- last one where a file has forgotten to close the one before. Nothing here looks at the score, which only passes through as
-- the label, or at insurance_charges, which is known when the year is over. health_risk_composite comes from its formula alone.
-- smoker, age, bmi, children and age_group are carried for rules and slices.
WITH current_patients AS (
  SELECT *
  FROM patients
  WHERE is_current_record
  QUALIFY row_number() OVER (PARTITION BY patient_natural_key ORDER BY version DESC, effective_from DESC) = 1
),
risks AS (
  SELECT
    *,
    CASE WHEN age < 25 THEN 1 WHEN age < 35 THEN 2 WHEN age < 50 THEN 3 WHEN age < 65 THEN 4 ELSE 5 END AS age_risk
  FROM current_patients
)
SELECT
  patient_natural_key,
  effective_from,

  age_risk AS age_risk_score,
  (age * CASE WHEN smoker THEN 2.5 ELSE 1.0 END)::DOUBLE AS smoking_impact,
  (1 + 0.15 * children)::DOUBLE AS family_size_factor,
  (CASE region WHEN 'NORTHEAST' THEN 1.2 WHEN 'NORTHWEST' THEN 1.1 WHEN 'SOUTHEAST' THEN 1.0 ELSE 0.95 END)::DOUBLE AS regional_multiplier,
  20 * age_risk + CASE WHEN smoker THEN 50 ELSE 0 END + CASE WHEN bmi > 30 THEN 30 ELSE 0 END AS health_risk_composite,
  CASE WHEN bmi < 18.5 THEN 'underweight' WHEN bmi < 25 THEN 'normal' WHEN bmi < 30 THEN 'overweight' ELSE 'obese' END AS bmi_category,
  sex,
  region,

  smoker,
  age,
  bmi,
  children,
  CASE WHEN age < 30 THEN 'young' WHEN age < 50 THEN 'middle' ELSE 'senior' END AS age_group,

  health_risk_score
FROM risks
