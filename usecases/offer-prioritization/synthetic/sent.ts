/** A recommendation as the campaign system got it. */
export type Sent = { recommendationId: string; memberId: string; offerId: string; sentMs: number };

/** What the export for the CRM tells of what was sent, by member; an empty one tells of nothing. Throws `RangeError` for another file. */
export function sentIn(crmExport: string): Map<string, Sent[]> {
  if (crmExport === '') return new Map();
  const [header, ...records] = recordsOf(crmExport);
  const [member, offer, recommendation, at] = columns.map((name) => header.indexOf(name));
  if (Math.min(member, offer, recommendation, at) < 0) {
    throw new RangeError(`The file of what was sent is no CRM export: its header needs ${columns.join(', ')}.`);
  }
  const sent = records.map((fields) => ({
    recommendationId: fields[recommendation],
    memberId: fields[member],
    offerId: fields[offer],
    sentMs: Date.parse(fields[at]),
  }));
  return Map.groupBy(sent, ({ memberId }) => memberId);
}

const columns = ['ContactId', 'CampaignCode', 'RecommendationId', 'RecommendedAt'] as const;

/** The fields of each record of a CSV file (RFC 4180). */
function recordsOf(csv: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (fields.length > 1) records.push(fields);
    fields = [];
  }
  return records;
}
