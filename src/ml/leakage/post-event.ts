import type { LeakageFinding } from './finding.ts';

/**
 * Features whose column is declared as known only after the event (payment date, final status, the label itself). A name
 * matches a column exactly or as one of its encoded features (`status=paid`).
 */
export function postEventFeatures(features: readonly string[], postEventColumns: readonly string[]): LeakageFinding[] {
  return features.flatMap((feature): LeakageFinding[] => {
    const source = postEventColumns.find((name) => feature === name || feature.startsWith(`${name}=`));
    if (source === undefined) return [];
    return [
      {
        check: 'post-event-field',
        feature,
        message: `"${feature}" comes from "${source}", which is declared as known only after the event. Remove it from the features.`,
        evidence: { column: source },
      },
    ];
  });
}
