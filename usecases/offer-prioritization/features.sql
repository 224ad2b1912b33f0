-- What was known about a member at the start of a month: one row for each of the last four months in which a roster told of the
-- member. A record counts at a reference date if what it tells of has happened by then AND it had arrived by then; later versions
-- of a record do not reach back. Every step keeps to one member, so that any part of the members gives its part of the rows.
-- Claims count for 730 days, events for 365. Sums are exact (cents, whole seconds), so that the order of rows changes no digit.
-- What cannot be told stays missing: a model handles that, and a filled-in median would depend on everybody else.
WITH snapshots AS MATERIALIZED (
  SELECT member_id, reference_date, epoch_us(reference_date) AS reference_us
  FROM (SELECT DISTINCT member_id, date_trunc('month', received_at) + INTERVAL 1 MONTH AS reference_date FROM members)
  QUALIFY row_number() OVER (PARTITION BY member_id ORDER BY reference_date DESC) <= 4
),

rosters AS (
  SELECT s.reference_date, m.*
  FROM snapshots AS s JOIN members AS m
    ON m.member_id = s.member_id AND m.received_at <= s.reference_date AND m.recorded_at <= s.reference_date
  QUALIFY row_number() OVER (
    PARTITION BY s.member_id, s.reference_date ORDER BY m.recorded_at DESC, m.received_at DESC, m.record_id DESC
  ) = 1
),

-- a version of a claim holds until the next one arrives
claim_versions AS (
  SELECT
    *,
    lead(received_at) OVER (PARTITION BY member_id, claim_id ORDER BY received_at, record_id) AS superseded_at
  FROM claims
),
known_claims AS (
  SELECT
    s.member_id,
    s.reference_date,
    (s.reference_us - epoch_us(c.filed_at)) / 86400000000 AS days_ago,
    c.claim_type,
    c.diagnosis_category,
    c.in_network,
    (c.billed_amount * 100)::BIGINT AS billed_cents,
    (c.paid_amount * 100)::BIGINT AS paid_cents,
    (c.member_responsibility * 100)::BIGINT AS member_cents
  FROM snapshots AS s JOIN claim_versions AS c
    ON c.member_id = s.member_id
      AND c.received_at <= s.reference_date
      AND (c.superseded_at IS NULL OR c.superseded_at > s.reference_date)
  WHERE days_ago BETWEEN 0 AND 730
),
claim_figures AS (
  SELECT
    member_id,
    reference_date,
    count(*) AS total_claims,
    sum(billed_cents)::DOUBLE / 100 AS total_claim_amount,
    sum(billed_cents)::DOUBLE / 100 / count(*) AS avg_claim_amount,
    sqrt((count(*) * sum(billed_cents * billed_cents) - sum(billed_cents) * sum(billed_cents))::DOUBLE / nullif(count(*) * (count(*) - 1), 0)) / 100
      AS std_claim_amount,
    max(billed_cents)::DOUBLE / 100 AS max_claim_amount,
    sum(paid_cents)::DOUBLE / 100 AS total_paid_amount,
    sum(paid_cents)::DOUBLE / 100 / count(*) AS avg_paid_amount,
    sum(member_cents)::DOUBLE / 100 AS total_member_cost,
    sum(member_cents)::DOUBLE / 100 / count(*) AS avg_member_cost,
    count(*) FILTER (in_network) / count(*) AS in_network_rate,
    count(*) FILTER (days_ago <= 30) AS claims_last_30d,
    count(*) FILTER (days_ago <= 90) AS claims_last_90d,
    count(*) FILTER (days_ago <= 180) AS claims_last_180d,
    count(*) FILTER (days_ago <= 365) AS claims_last_365d,
    count(*) FILTER (claim_type = 'preventive') AS preventive_visit_count,
    count(*) FILTER (claim_type = 'primary_care') AS primary_care_visit_count,
    count(*) FILTER (claim_type = 'specialist') AS specialist_visit_count,
    count(*) FILTER (claim_type = 'emergency') AS emergency_visit_count,
    count(*) FILTER (claim_type = 'inpatient') AS inpatient_visit_count,
    count(*) FILTER (claim_type = 'outpatient') AS outpatient_visit_count,
    count(*) FILTER (claim_type = 'lab') AS lab_visit_count,
    count(*) FILTER (claim_type = 'imaging') AS imaging_visit_count,
    count(*) FILTER (claim_type = 'procedure') AS procedure_visit_count,
    floor(min(days_ago))::BIGINT AS days_since_last_claim,
    bool_or(diagnosis_category = 'diabetes') AS has_diabetes,
    bool_or(diagnosis_category = 'cardiovascular') AS has_cardiovascular,
    bool_or(diagnosis_category = 'respiratory') AS has_respiratory,
    bool_or(diagnosis_category = 'mental_health') AS has_mental_health,
    bool_or(diagnosis_category = 'musculoskeletal') AS has_musculoskeletal,
    bool_or(diagnosis_category = 'gastrointestinal') AS has_gastrointestinal,
    bool_or(diagnosis_category = 'neurological') AS has_neurological,
    bool_or(diagnosis_category = 'oncology') AS has_oncology,
    bool_or(diagnosis_category = 'dermatological') AS has_dermatological,
    bool_or(diagnosis_category = 'endocrine') AS has_endocrine,
    -- wellness is no diagnosis
    has_diabetes::BIGINT + has_cardiovascular::BIGINT + has_respiratory::BIGINT + has_mental_health::BIGINT + has_musculoskeletal::BIGINT
      + has_gastrointestinal::BIGINT + has_neurological::BIGINT + has_oncology::BIGINT + has_dermatological::BIGINT + has_endocrine::BIGINT
      AS unique_diagnosis_count
  FROM known_claims
  GROUP BY ALL
),

known_benefits AS (
  SELECT
    s.member_id,
    s.reference_date,
    b.benefit_type,
    (b.annual_max * 100)::BIGINT AS max_cents,
    (b.used_amount * 100)::BIGINT AS used_cents,
    (b.remaining_amount * 100)::BIGINT AS remaining_cents,
    used_cents / max_cents AS utilization_rate,
    b.claims_count,
    b.days_since_last_use + (s.reference_us - epoch_us(b.recorded_at)) // 86400000000 AS days_since_last_use
  FROM snapshots AS s JOIN benefits AS b
    ON b.member_id = s.member_id AND b.received_at <= s.reference_date AND b.recorded_at <= s.reference_date
  QUALIFY row_number() OVER (
    PARTITION BY s.member_id, s.reference_date, b.benefit_type
    ORDER BY b.recorded_at DESC, b.received_at DESC, b.record_id DESC
  ) = 1
),
benefit_sums AS (
  SELECT
    member_id,
    reference_date,
    max(utilization_rate) FILTER (benefit_type = 'medical') AS medical_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'pharmacy') AS pharmacy_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'preventive') AS preventive_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'dental') AS dental_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'vision') AS vision_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'mental_health') AS mental_health_utilization_rate,
    max(utilization_rate) FILTER (benefit_type = 'telehealth') AS telehealth_utilization_rate,
    sum(used_cents)::DOUBLE / 100 AS total_benefits_used,
    sum(remaining_cents)::DOUBLE / 100 AS total_benefits_remaining,
    sum(max_cents)::DOUBLE / 100 AS total_benefits_max,
    sum(claims_count) AS total_benefit_claims,
    min(days_since_last_use) AS days_since_last_benefit_use
  FROM known_benefits
  GROUP BY ALL
),
benefit_figures AS (
  SELECT
    *,
    list_filter(
      [
        medical_utilization_rate, pharmacy_utilization_rate, preventive_utilization_rate, dental_utilization_rate,
        vision_utilization_rate, mental_health_utilization_rate, telehealth_utilization_rate
      ],
      lambda rate: rate IS NOT NULL
    ) AS rates
  FROM benefit_sums
),

known_events AS (
  SELECT
    s.member_id,
    s.reference_date,
    (s.reference_us - epoch_us(e.occurred_at)) / 86400000000 AS days_ago,
    e.channel,
    e.event_type,
    e.response,
    e.session_seconds
  FROM snapshots AS s JOIN engagement AS e ON e.member_id = s.member_id AND e.received_at <= s.reference_date
  -- what was sent to a member is nothing that the member did
  WHERE days_ago BETWEEN 0 AND 365 AND e.event_type <> 'offer_sent'
),
event_figures AS (
  SELECT
    member_id,
    reference_date,
    count(*) AS total_engagements,
    count(*) FILTER (response) / count(*) AS avg_response_rate,
    sum(session_seconds) / count(session_seconds) AS avg_session_seconds,
    count(*) FILTER (days_ago <= 30) AS engagements_last_30d,
    count(*) FILTER (days_ago <= 90) AS engagements_last_90d,
    count(*) FILTER (channel = 'app') AS app_count,
    count(*) FILTER (channel = 'email') AS email_count,
    count(*) FILTER (channel = 'mail') AS mail_count,
    count(*) FILTER (channel = 'phone') AS phone_count,
    count(*) FILTER (channel = 'portal') AS portal_count,
    count(*) FILTER (channel = 'sms') AS sms_count,
    count(*) FILTER (event_type = 'app_open') AS app_open_count,
    count(*) FILTER (event_type = 'offer_view') AS offer_view_count,
    count(*) FILTER (event_type = 'offer_click') AS offer_click_count,
    count(*) FILTER (event_type = 'content_view') AS content_view_count,
    count(*) FILTER (event_type = 'portal_login') AS portal_login_count,
    count(*) FILTER (event_type = 'appointment_schedule') AS appointment_schedule_count,
    count(*) FILTER (event_type = 'survey_complete') AS survey_complete_count,
    -- of channels that are used as much, the first by name
    CASE greatest(app_count, email_count, mail_count, phone_count, portal_count, sms_count)
      WHEN app_count THEN 'app'
      WHEN email_count THEN 'email'
      WHEN mail_count THEN 'mail'
      WHEN phone_count THEN 'phone'
      WHEN portal_count THEN 'portal'
      ELSE 'sms'
    END AS preferred_channel,
    floor(min(days_ago))::BIGINT AS days_since_last_engagement
  FROM known_events
  GROUP BY ALL
)

SELECT
  member_id,
  reference_date,

  -- demographic: 15
  age,
  tenure_months,
  family_size,
  risk_score,
  chronic_condition_count,
  gender,
  region,
  plan_type,
  income_bracket,
  CASE WHEN age <= 26 THEN '18-26' WHEN age <= 35 THEN '27-35' WHEN age <= 50 THEN '36-50' WHEN age <= 65 THEN '51-65' ELSE '66+' END
    AS age_group,
  CASE
    WHEN tenure_months <= 12 THEN 'up to 1 year'
    WHEN tenure_months <= 24 THEN 'up to 2 years'
    WHEN tenure_months <= 60 THEN 'up to 5 years'
    WHEN tenure_months <= 120 THEN 'up to 10 years'
    ELSE 'over 10 years'
  END AS tenure_group,
  age >= 65 AS is_senior,
  tenure_months <= 12 AS is_new_member,
  chronic_condition_count > 0 AS has_chronic_condition,
  risk_score > 70 AS high_risk_flag,

  -- claims: 26
  coalesce(total_claims, 0) AS total_claims,
  coalesce(total_claim_amount, 0) AS total_claim_amount,
  coalesce(avg_claim_amount, 0) AS avg_claim_amount,
  coalesce(std_claim_amount, 0) AS std_claim_amount,
  coalesce(max_claim_amount, 0) AS max_claim_amount,
  coalesce(total_paid_amount, 0) AS total_paid_amount,
  coalesce(avg_paid_amount, 0) AS avg_paid_amount,
  coalesce(total_member_cost, 0) AS total_member_cost,
  coalesce(avg_member_cost, 0) AS avg_member_cost,
  in_network_rate,
  coalesce(claims_last_30d, 0) AS claims_last_30d,
  coalesce(claims_last_90d, 0) AS claims_last_90d,
  coalesce(claims_last_180d, 0) AS claims_last_180d,
  coalesce(claims_last_365d, 0) AS claims_last_365d,
  coalesce(preventive_visit_count, 0) AS preventive_visit_count,
  coalesce(primary_care_visit_count, 0) AS primary_care_visit_count,
  coalesce(specialist_visit_count, 0) AS specialist_visit_count,
  coalesce(emergency_visit_count, 0) AS emergency_visit_count,
  coalesce(inpatient_visit_count, 0) AS inpatient_visit_count,
  coalesce(outpatient_visit_count, 0) AS outpatient_visit_count,
  coalesce(lab_visit_count, 0) AS lab_visit_count,
  coalesce(imaging_visit_count, 0) AS imaging_visit_count,
  coalesce(procedure_visit_count, 0) AS procedure_visit_count,
  coalesce(days_since_last_claim, 365) AS days_since_last_claim,
  coalesce(claims_last_180d, 0) / (coalesce(claims_last_365d, 0) + 1) AS claim_frequency_trend,
  coalesce(total_claim_amount, 0) / (coalesce(total_claims, 0) + 1) AS cost_per_claim,

  -- diagnoses: 10
  coalesce(has_diabetes, false) AS has_diabetes,
  coalesce(has_cardiovascular, false) AS has_cardiovascular,
  coalesce(has_respiratory, false) AS has_respiratory,
  coalesce(has_mental_health, false) AS has_mental_health,
  coalesce(has_musculoskeletal, false) AS has_musculoskeletal,
  coalesce(has_gastrointestinal, false) AS has_gastrointestinal,
  coalesce(has_neurological, false) AS has_neurological,
  coalesce(has_oncology, false) AS has_oncology,
  coalesce(unique_diagnosis_count, 0) AS unique_diagnosis_count,
  coalesce(unique_diagnosis_count, 0) >= 3 AS is_complex_patient,

  -- benefits: 16
  medical_utilization_rate,
  pharmacy_utilization_rate,
  preventive_utilization_rate,
  dental_utilization_rate,
  vision_utilization_rate,
  mental_health_utilization_rate,
  telehealth_utilization_rate,
  coalesce(total_benefits_used, 0) AS total_benefits_used,
  coalesce(total_benefits_remaining, 0) AS total_benefits_remaining,
  coalesce(total_benefits_max, 0) AS total_benefits_max,
  list_avg(rates) AS avg_utilization_rate,
  list_max(rates) AS max_utilization_rate,
  coalesce(list_stddev_samp(rates), 0) AS std_utilization_rate,
  coalesce(total_benefit_claims, 0)::BIGINT AS total_benefit_claims,
  total_benefits_remaining / (total_benefits_max + 1) AS remaining_deductible_pct,
  coalesce(days_since_last_benefit_use, 365) AS days_since_last_benefit_use,

  -- engagement: 21
  coalesce(total_engagements, 0) AS total_engagements,
  avg_response_rate,
  coalesce(avg_session_seconds, 0) AS avg_session_seconds,
  coalesce(engagements_last_30d, 0) AS engagements_last_30d,
  coalesce(engagements_last_90d, 0) AS engagements_last_90d,
  coalesce(app_count, 0) / (coalesce(total_engagements, 0) + 1) AS app_engagement_rate,
  coalesce(email_count, 0) / (coalesce(total_engagements, 0) + 1) AS email_engagement_rate,
  coalesce(mail_count, 0) / (coalesce(total_engagements, 0) + 1) AS mail_engagement_rate,
  coalesce(phone_count, 0) / (coalesce(total_engagements, 0) + 1) AS phone_engagement_rate,
  coalesce(portal_count, 0) / (coalesce(total_engagements, 0) + 1) AS portal_engagement_rate,
  coalesce(sms_count, 0) / (coalesce(total_engagements, 0) + 1) AS sms_engagement_rate,
  coalesce(app_open_count, 0) AS app_open_count,
  coalesce(offer_view_count, 0) AS offer_view_count,
  coalesce(offer_click_count, 0) AS offer_click_count,
  coalesce(content_view_count, 0) AS content_view_count,
  coalesce(portal_login_count, 0) AS portal_login_count,
  coalesce(appointment_schedule_count, 0) AS appointment_schedule_count,
  coalesce(survey_complete_count, 0) AS survey_complete_count,
  preferred_channel,
  coalesce(days_since_last_engagement, 365) AS days_since_last_engagement,
  coalesce(engagements_last_30d, 0) / (coalesce(total_engagements, 0) + 1) * 12 AS engagement_trend,

  -- the reference date's place in the year: 8
  month(reference_date) AS month,
  quarter(reference_date) AS quarter,
  month(reference_date) >= 10 AS is_q4,
  month(reference_date) >= 10 AS is_open_enrollment,
  month(reference_date) IN (10, 11, 12, 1, 2, 3) AS is_flu_season,
  month(reference_date) IN (3, 4, 5, 9, 10) AS is_allergy_season,
  date_diff('day', reference_date::DATE, make_date(year(reference_date), 12, 31)) AS days_until_year_end,
  1 - date_diff('day', reference_date::DATE, make_date(year(reference_date), 12, 31)) / 365 AS benefits_urgency,

  -- carried: by which channels the member may be addressed
  consent_email,
  consent_sms,
  consent_phone,
  consent_mail,
  consent_app,
  consent_portal
FROM rosters
LEFT JOIN claim_figures USING (member_id, reference_date)
LEFT JOIN benefit_figures USING (member_id, reference_date)
LEFT JOIN event_figures USING (member_id, reference_date)
