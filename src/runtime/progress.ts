/** What an onlooker is told while machines run: names, counts and times, nothing of the data. */
export type Progress =
  | { kind: 'event'; detailType: string; starts: readonly string[] }
  | { kind: 'schedule'; name: string; scheduledMs: number }
  | { kind: 'machine-started'; machine: string; execution: string }
  | { kind: 'state-entered'; machine: string; state: string }
  | { kind: 'item-ended'; machine: string; state: string; ended: number; total: number }
  | { kind: 'state-exited'; machine: string; state: string; milliseconds: number }
  | { kind: 'machine-ended'; machine: string; status: string; milliseconds: number; error?: string };
