-- What each offer is worth to a member at a reference date, in points of 0 to 100, from two points of view:
--   PREV_001 …        the label of the rule scorer: the rules and noise of standard deviation 5, seeded, cut to 0 and 100
--   rules_PREV_001 …  the rules alone, which a model has to beat
-- What members did with what they were sent takes the place of the label in training: recommend.responses in usecase.ts.
-- A condition about a missing value does not hold. All of it keeps to one member.
WITH rules AS (
  SELECT
    member_id,
    reference_date,
    60 + CASE WHEN age >= 40 THEN 10 ELSE 0 END
      + CASE WHEN days_since_last_claim >= 180 THEN 15 ELSE 0 END
      + CASE WHEN has_chronic_condition THEN 10 ELSE 0 END AS PREV_001,
    55 + CASE WHEN age >= 50 THEN 20 ELSE 0 END
      + CASE WHEN high_risk_flag THEN 15 ELSE 0 END AS PREV_002,
    50 + CASE WHEN has_diabetes THEN 40 ELSE 0 END
      + CASE WHEN high_risk_flag THEN 10 ELSE 0 END
      + CASE WHEN pharmacy_utilization_rate >= 0.3 THEN 5 ELSE 0 END AS CHRON_001,
    50 + CASE WHEN has_cardiovascular THEN 40 ELSE 0 END
      + CASE WHEN age >= 50 THEN 10 ELSE 0 END
      + CASE WHEN high_risk_flag THEN 10 ELSE 0 END AS CHRON_002,
    50 + CASE WHEN has_respiratory THEN 40 ELSE 0 END
      + CASE WHEN is_allergy_season THEN 5 ELSE 0 END AS CHRON_003,
    55 + CASE WHEN has_mental_health THEN 35 ELSE 0 END
      + CASE WHEN age <= 45 THEN 10 ELSE 0 END
      + CASE WHEN engagement_trend >= 0.5 THEN 5 ELSE 0 END AS MH_001,
    50 + CASE WHEN total_claims >= 10 THEN 10 ELSE 0 END
      + CASE WHEN avg_response_rate >= 0.2 THEN 10 ELSE 0 END AS MH_002,
    45 + CASE WHEN pharmacy_utilization_rate >= 0.4 THEN 20 ELSE 0 END
      + CASE WHEN total_member_cost >= 500 THEN 15 ELSE 0 END AS PHARM_001,
    45 + CASE WHEN pharmacy_utilization_rate >= 0.3 THEN 15 ELSE 0 END
      + CASE WHEN has_chronic_condition THEN 10 ELSE 0 END AS PHARM_002,
    50 + CASE WHEN app_engagement_rate >= 0.2 THEN 15 ELSE 0 END
      + CASE WHEN primary_care_visit_count >= 2 THEN 10 ELSE 0 END AS TELE_001,
    45 + CASE WHEN specialist_visit_count >= 2 THEN 20 ELSE 0 END
      + CASE WHEN is_complex_patient THEN 15 ELSE 0 END AS TELE_002,
    40 + CASE WHEN age <= 55 THEN 10 ELSE 0 END
      + CASE WHEN has_cardiovascular THEN 10 ELSE 0 END
      + CASE WHEN has_diabetes THEN 10 ELSE 0 END AS FIT_001,
    45 + CASE WHEN has_diabetes THEN 15 ELSE 0 END
      + CASE WHEN has_cardiovascular THEN 10 ELSE 0 END
      + CASE WHEN high_risk_flag THEN 10 ELSE 0 END AS FIT_002,
    40 + CASE WHEN is_complex_patient THEN 30 ELSE 0 END
      + CASE WHEN total_claims >= 15 THEN 15 ELSE 0 END
      + CASE WHEN chronic_condition_count >= 2 THEN 10 ELSE 0 END AS NAV_001,
    45 + CASE WHEN remaining_deductible_pct >= 0.5 THEN 15 ELSE 0 END
      + CASE WHEN is_q4 THEN 20 ELSE 0 END AS COST_001,
    45 + CASE WHEN in_network_rate <= 0.8 THEN 20 ELSE 0 END
      + CASE WHEN total_member_cost >= 500 THEN 10 ELSE 0 END AS COST_002
  FROM features
),

-- normal by Box and Muller from the two halves of a hash, 52 bits of each, which a double holds exactly: a member's noise depends
-- on nobody else's
stems AS (
  SELECT member_id, reference_date, '42/' || member_id || '/' || strftime(reference_date, '%Y-%m-%d') || '/' AS stem FROM features
),
noise AS (
  SELECT
    member_id,
    reference_date,
    list_transform(
      [
        'PREV_001', 'PREV_002', 'CHRON_001', 'CHRON_002', 'CHRON_003', 'MH_001', 'MH_002', 'PHARM_001', 'PHARM_002',
        'TELE_001', 'TELE_002', 'FIT_001', 'FIT_002', 'NAV_001', 'COST_001', 'COST_002'
      ],
      lambda offer: md5_number(stem || offer)
    ) AS hashes,
    list_transform(
      hashes,
      lambda hash: 5 * sqrt(-2 * ln(1 - (hash >> 76)::DOUBLE / 4503599627370496))
        * cos(2 * pi() * (hash & 4503599627370495)::DOUBLE / 4503599627370496)
    ) AS points
  FROM stems
)

SELECT
  member_id,
  reference_date,
  -- four decimals: the last digits of a cosine are not the same on every machine
  round(greatest(0, least(100, rules.PREV_001 + points[1])), 4) AS PREV_001,
  round(greatest(0, least(100, rules.PREV_002 + points[2])), 4) AS PREV_002,
  round(greatest(0, least(100, rules.CHRON_001 + points[3])), 4) AS CHRON_001,
  round(greatest(0, least(100, rules.CHRON_002 + points[4])), 4) AS CHRON_002,
  round(greatest(0, least(100, rules.CHRON_003 + points[5])), 4) AS CHRON_003,
  round(greatest(0, least(100, rules.MH_001 + points[6])), 4) AS MH_001,
  round(greatest(0, least(100, rules.MH_002 + points[7])), 4) AS MH_002,
  round(greatest(0, least(100, rules.PHARM_001 + points[8])), 4) AS PHARM_001,
  round(greatest(0, least(100, rules.PHARM_002 + points[9])), 4) AS PHARM_002,
  round(greatest(0, least(100, rules.TELE_001 + points[10])), 4) AS TELE_001,
  round(greatest(0, least(100, rules.TELE_002 + points[11])), 4) AS TELE_002,
  round(greatest(0, least(100, rules.FIT_001 + points[12])), 4) AS FIT_001,
  round(greatest(0, least(100, rules.FIT_002 + points[13])), 4) AS FIT_002,
  round(greatest(0, least(100, rules.NAV_001 + points[14])), 4) AS NAV_001,
  round(greatest(0, least(100, rules.COST_001 + points[15])), 4) AS COST_001,
  round(greatest(0, least(100, rules.COST_002 + points[16])), 4) AS COST_002,

  rules.PREV_001::DOUBLE AS rules_PREV_001,
  rules.PREV_002::DOUBLE AS rules_PREV_002,
  rules.CHRON_001::DOUBLE AS rules_CHRON_001,
  rules.CHRON_002::DOUBLE AS rules_CHRON_002,
  rules.CHRON_003::DOUBLE AS rules_CHRON_003,
  rules.MH_001::DOUBLE AS rules_MH_001,
  rules.MH_002::DOUBLE AS rules_MH_002,
  rules.PHARM_001::DOUBLE AS rules_PHARM_001,
  rules.PHARM_002::DOUBLE AS rules_PHARM_002,
  rules.TELE_001::DOUBLE AS rules_TELE_001,
  rules.TELE_002::DOUBLE AS rules_TELE_002,
  rules.FIT_001::DOUBLE AS rules_FIT_001,
  rules.FIT_002::DOUBLE AS rules_FIT_002,
  rules.NAV_001::DOUBLE AS rules_NAV_001,
  rules.COST_001::DOUBLE AS rules_COST_001,
  rules.COST_002::DOUBLE AS rules_COST_002
FROM rules
JOIN noise USING (member_id, reference_date)
