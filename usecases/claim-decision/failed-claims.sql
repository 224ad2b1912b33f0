-- Claims that features.sql leaves out, and lines that belong to none, each with its stage, its first reason and the figures
-- behind it. Rows that broke a rule of their own file are in the quarantine instead; a line missing here may be one of those.
WITH charged AS (
  SELECT
    claim_id,
    received_at,
    count(*) AS line_count,
    count(DISTINCT line_number) AS numbers,
    sum(charge) AS charges,
    min(coalesce(claim_service_days, 0)) AS least_days,
    max(coalesce(claim_service_days, 0)) AS most_days
  FROM lines
  GROUP BY claim_id, received_at
),
joined AS (
  SELECT
    *,
    CASE
      WHEN line_count IS NULL THEN 'no_lines'
      WHEN total_charges IS NULL THEN 'no_claim'
      WHEN numbers <> line_count THEN 'line_number_repeated'
      WHEN charges <> total_charges THEN 'lines_not_total'
      WHEN least_days <> most_days OR most_days <> coalesce(service_days, 0) THEN 'lines_of_another_period'
    END AS reason
  FROM claims FULL JOIN charged USING (claim_id, received_at)
)
SELECT
  claim_id,
  received_at,
  'join' AS stage,
  reason,
  coalesce(line_count, 0)::INTEGER AS line_count,
  total_charges::DOUBLE AS total_charges,
  charges::DOUBLE AS line_charges
FROM joined
WHERE reason IS NOT NULL
