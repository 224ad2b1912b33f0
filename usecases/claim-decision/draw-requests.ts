import { random } from '../../src/ml/random.ts';
import { type Claim, drawClaims } from './draw-claims.ts';

/** A claim as `/decide` takes it. */
export type ClaimRequest = ReturnType<typeof requestOf>;

/** Seeded claims as they are asked about one by one, with the decision that people will take. */
export function drawRequests({ rows, seed, month = '2026-01' }: { rows: number; seed: number; month?: string }): {
  requests: ClaimRequest[];
  approved: Float64Array;
} {
  const claims = drawClaims(random(seed), { claims: rows, month, fraudShare: 0.03, inflation: 1 });
  return { requests: claims.map(requestOf), approved: Float64Array.from(claims, (claim) => Number(claim.approved)) };
}

function requestOf({ id, patient, serviceFrom, serviceTo, totalCents, lines }: Claim) {
  return {
    claim_id: id,
    date_of_birth: patient.birthDate || null,
    insurance_type: patient.insuranceType,
    service_from: serviceFrom,
    service_to: serviceTo || null,
    total_charges: totalCents / 100,
    lines: lines.map((line) => ({
      line_number: line.number,
      service_date: line.serviceDate,
      procedure_code: line.procedureCode,
      units: line.units,
      charge: line.chargeCents / 100,
    })),
  };
}
