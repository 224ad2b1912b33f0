import { Cron } from 'croner';
import type { Schedule } from '../triggers.ts';

/** A firing: the schedule and its logical time, which names the run even when it starts late. */
export type Firing = { schedule: Schedule; scheduledMs: number };

/**
 * Every firing in (fromMs, toMs], earliest first, ties in the schedules' order. As EventBridge Scheduler does, an hour that
 * daylight saving skips is skipped and an hour that it repeats fires once.
 */
export function firingsBetween(schedules: readonly Schedule[], fromMs: number, toMs: number): Firing[] {
  const firings: Firing[] = [];
  for (const schedule of schedules) {
    const cron = new Cron(schedule.cron, { timezone: schedule.timeZone });
    for (let next = cron.nextRun(new Date(fromMs)); next && next.getTime() <= toMs; next = cron.nextRun(next)) {
      // croner moves a skipped hour to the end of the gap; the time it moved to is not one that the schedule names
      if (cron.match(next)) firings.push({ schedule, scheduledMs: next.getTime() });
    }
  }
  return firings.sort((a, b) => a.scheduledMs - b.scheduledMs);
}
