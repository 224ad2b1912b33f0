/*
 * What the adjudicators of the synthetic claims go by. The features decide most of it; provider and patient add what only a
 * history can tell; the rest is chance, so that the best possible ranking is known.
 */

/** What is seen of a claim, by the names of features.sql. */
export type Seen = {
  logTotalCharges: number;
  age: number;
  durationDays: number;
  insuranceType: string;
  surgery: number;
  complexity: number;
};

/** The log-odds of approval by what the seven features tell; a ranking by these is the best that they allow. */
export function approvalLogOdds({
  logTotalCharges,
  age,
  durationDays,
  insuranceType,
  surgery,
  complexity,
}: Seen): number {
  const managed = insuranceType.endsWith('_hmo');
  return (
    3 -
    1.1 * Math.max(0, logTotalCharges - 7) +
    (age < 0 ? -1.5 : age >= 65 ? 0.7 : 0) -
    (durationDays === 0 ? 2 : durationDays > 10 ? 1.2 : 0) +
    (payers[insuranceType] ?? -2) -
    // without an authorisation beforehand a health maintenance organisation denies what others pay
    (surgery === 1 ? (managed ? 2.6 : 0.5) : 0) -
    3 * Math.max(0, complexity - 0.45)
  );
}

const payers: { [insuranceType: string]: number } = {
  medicare: 1,
  medicaid: -0.6,
  commercial: 0.5,
  commercial_ppo: 0.7,
  commercial_hmo: -0.4,
  commercial_pos: 0.2,
  bcbs: 0.8,
  bcbs_ppo: 0.9,
  bcbs_hmo: -0.3,
  self_pay: -2.2,
  workers_comp: -1.2,
  other_government: 0,
  tricare: 0.4,
  champva: 0.2,
  other: -0.8,
};

export const probabilityOf = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));
