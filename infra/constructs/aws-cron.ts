/**
 * The five-field cron expression of a declaration (minute, hour, day of month, month, day of week) as EventBridge Scheduler
 * writes it: six fields with the year, one of the two day fields `?`, and Sunday as 1 instead of 0 or 7.
 * @param name whose expression it is, for the message of an expression that cannot be translated
 */
export function awsCron(expression: string, name: string): string {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) {
    throw new RangeError(`The schedule ${name} is "${expression}": cron needs five fields, it has ${fields.length}.`);
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (dayOfMonth !== '*' && dayOfWeek !== '*') {
    throw new RangeError(
      `The schedule ${name} is "${expression}": EventBridge Scheduler takes a day of the month or a day of the week, not both. ` +
        'Put * for one of them.',
    );
  }
  if (dayOfWeek === '*') return `cron(${minute} ${hour} ${dayOfMonth} ${month} ? *)`;
  return `cron(${minute} ${hour} ? ${month} ${daysOfWeek(dayOfWeek, name)} *)`;
}

/** Numbers are renumbered and, where they are a range over Sunday's end, listed; names are the same in both. */
function daysOfWeek(field: string, name: string): string {
  return field
    .split(',')
    .flatMap((part) => {
      if (!/\d/.test(part)) return [part];
      const range = /^([0-7])(?:-([0-7]))?$/.exec(part);
      if (!range)
        throw new RangeError(`The schedule ${name} has the days of the week "${field}": use 0 to 7, lists and ranges.`);
      const first = Number(range[1]);
      const last = Number(range[2] ?? first);
      return Array.from({ length: last - first + 1 }, (_, i) => String(((first + i) % 7) + 1));
    })
    .join(',');
}
