import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

/** JSON lines in a file, logs and metrics alike; whole lines are appended at once, so that threads may share the file. */
export function fileTelemetry(path: string, clock: Clock): Telemetry {
  mkdirSync(dirname(path), { recursive: true });
  const write = (line: object) =>
    appendFileSync(path, `${JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), ...line })}\n`);
  return {
    info: (message, fields) => write({ level: 'INFO', message, ...fields }),
    warn: (message, fields) => write({ level: 'WARN', message, ...fields }),
    measure: (metric, value, useCase) => write({ level: 'METRIC', metric, value, useCase }),
  };
}
