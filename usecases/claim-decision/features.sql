-- The features of a claim, from the views `claims`, `lines`, `decisions` and `rvus` (silver). One row for each claim that is
-- whole: it has lines, their charges add up to its total to the cent, and both files mean the same period. A claim that is not
-- whole (yet) stands in failed-claims.sql with the reason; it comes in here by itself when the missing lines arrive.
--
-- The seven features are float32, each rounded once from exact decimals or doubles: online.ts computes the same bits.
WITH charged AS (
  SELECT
    claim_id,
    received_at,
    count(*) AS line_count,
    count(DISTINCT line_number) AS numbers,
    sum(units) AS units,
    sum(charge) AS charges,
    min(coalesce(claim_service_days, 0)) AS least_days,
    max(coalesce(claim_service_days, 0)) AS most_days,
    -- surgery by CPT is 10021 to 69990
    bool_or(
      procedure_code LIKE 'S%'
      OR (regexp_full_match(procedure_code, '[0-9]{5}') AND procedure_code BETWEEN '10021' AND '69990')
    ) AS surgery,
    sum(coalesce(rvu, 1.00) * units) AS rvu_total
  FROM lines LEFT JOIN rvus USING (procedure_code)
  GROUP BY claim_id, received_at
),
whole AS (
  SELECT claims.*, charged.* EXCLUDE (claim_id, received_at)
  FROM claims JOIN charged USING (claim_id, received_at)
  WHERE charges = total_charges AND numbers = line_count AND least_days = most_days AND most_days = coalesce(service_days, 0)
),

-- What was known when a claim came in: decisions before it, of its provider and of its patient, and never one at the same time.
-- Claims (kind 0) see the decisions (kind 1) that stand before them in the order of time.
events AS (
  SELECT claim_id, received_at AS known_at, 0 AS kind, billing_provider_npi, patient_account_number, 0 AS denied FROM whole
  UNION ALL
  SELECT claim_id, decided_at, 1, billing_provider_npi, patient_account_number, (NOT approved)::INTEGER
  FROM whole JOIN decisions USING (claim_id)
),
history AS (
  SELECT
    claim_id,
    known_at AS received_at,
    kind,
    sum(kind) OVER provider AS provider_decided,
    sum(denied) OVER provider AS provider_denied,
    sum(denied) OVER patient AS patient_denied
  FROM events
  WINDOW
    provider AS (PARTITION BY billing_provider_npi ORDER BY known_at, kind),
    patient AS (PARTITION BY patient_account_number ORDER BY known_at, kind)
)

SELECT
  claim_id,
  received_at,

  ln(1 + total_charges::DOUBLE)::FLOAT AS log_total_charges,
  line_count::FLOAT AS line_count,
  coalesce(age_at_service, -1)::FLOAT AS age_at_service,
  greatest(coalesce(service_days, 0), 0)::FLOAT AS duration_days,
  (CASE insurance_type
    WHEN 'medicare' THEN 1 WHEN 'medicaid' THEN 2
    WHEN 'commercial' THEN 3 WHEN 'commercial_ppo' THEN 3.1 WHEN 'commercial_hmo' THEN 3.2 WHEN 'commercial_pos' THEN 3.3
    WHEN 'bcbs' THEN 4 WHEN 'bcbs_ppo' THEN 4.1 WHEN 'bcbs_hmo' THEN 4.2
    WHEN 'self_pay' THEN 5 WHEN 'workers_comp' THEN 6 WHEN 'other_government' THEN 7 WHEN 'tricare' THEN 8 WHEN 'champva' THEN 9
    WHEN 'other' THEN 10 ELSE 0
  END)::FLOAT AS insurance_code,
  surgery::INTEGER::FLOAT AS surgery,
  (
    0.4::DOUBLE * least(line_count / 10.0::DOUBLE, 1)
    + 0.3::DOUBLE * least(units::DOUBLE / 20, 1)
    + 0.3::DOUBLE * surgery::INTEGER
  )::FLOAT AS complexity,

  -- the extended set, to compare with
  CASE
    WHEN primary_diagnosis < 'C' THEN 'infection'
    WHEN primary_diagnosis < 'D5' THEN 'neoplasm'
    WHEN primary_diagnosis < 'F' THEN 'blood_or_metabolic'
    WHEN primary_diagnosis < 'G' THEN 'mental'
    WHEN primary_diagnosis < 'I' THEN 'nerves_or_senses'
    WHEN primary_diagnosis < 'J' THEN 'circulation'
    WHEN primary_diagnosis < 'K' THEN 'respiration'
    WHEN primary_diagnosis < 'M' THEN 'digestion_or_skin'
    WHEN primary_diagnosis < 'N' THEN 'musculoskeletal'
    WHEN primary_diagnosis < 'S' THEN 'other_disease'
    WHEN primary_diagnosis < 'V' THEN 'injury'
    ELSE 'other_contact'
  END AS diagnosis_group,
  length(diagnosis_codes) - length(replace(diagnosis_codes, '|', '')) + 1 AS diagnoses,
  provider_decided::INTEGER AS provider_decided,
  -- of few decisions little is known: two in eight are taken for granted
  ((provider_denied + 2) / (provider_decided + 8))::DOUBLE AS provider_denial_share,
  patient_denied::INTEGER AS patient_denied,

  -- for rules, slices and the payment: no model sees these
  coalesce(insurance_type, 'unknown') AS insurance_type,
  total_charges::DOUBLE AS total_charges,
  rvu_total::DOUBLE AS rvu_total,
  round(rvu_total * 38.87, 2)::DOUBLE AS reimbursement,

  approved::INTEGER AS approved
FROM whole
JOIN history USING (claim_id, received_at)
LEFT JOIN decisions USING (claim_id)
WHERE kind = 0
