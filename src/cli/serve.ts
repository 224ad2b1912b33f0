import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listen } from '../adapters/embedded/http-server.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { stopExperiment } from '../serving/experiments.ts';
import { Decider } from '../serving/decider.ts';
import { DecisionLog } from '../serving/decision-log.ts';
import { follow, look } from '../serving/follow.ts';
import { Measures } from '../serving/measures.ts';
import { NotOnline, actionsOf } from '../serving/online-use-case.ts';
import { Service, mostBodyBytes } from '../serving/service.ts';
import { Traffic } from '../serving/traffic.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Online, OnlineModule } from '../usecase/online.ts';
import { whole } from './arguments.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { localPorts, useCasesFolder } from './open.ts';

export const command: Command = {
  summary: 'Answers single cases over HTTP with the live version; follows promotions without a restart.',
  usage: 'USE_CASE [--port N] [--host HOST]',
  examples: [
    ['bordereau serve claim-decision', 'POST /decide, GET /health, /ready and /metrics on 127.0.0.1:8080'],
    [
      'bordereau serve claim-decision --port 0 --off',
      'any free port; the model is switched off, people decide everything',
    ],
  ],
  options: {
    port: { type: 'string', default: '8080', value: 'N', help: 'the port; 0 takes a free one' },
    host: {
      type: 'string',
      default: '127.0.0.1',
      value: 'HOST',
      help: 'the address to listen at; only this machine by default',
    },
    'every-seconds': { type: 'string', default: '5', value: 'N', help: 'how often the promotion log is looked at' },
    off: { type: 'boolean', default: false, help: 'switch the model off: every case goes to a person' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [useCase] = call.positionals;
    const port = whole(call, 'port', 0)!;
    if (port > 65_535) throw new UsageError(`--port takes a number up to 65535, not ${port}.`);
    const ports = await localPorts(call);
    const { service, log, online } = await openService(ports, useCase, { isOff: call.flag('off') });
    await look(service, ports, useCase, online.featureNames);

    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    const host = call.text('host')!;
    const server = await listen((request) => service.handle(request), { host, port, mostBodyBytes }).catch(
      (error: NodeJS.ErrnoException) => {
        throw new UsageError(
          `Nobody can listen at ${host}:${port} (${error.code}).`,
          `bordereau serve ${useCase} --port 0`,
        );
      },
    );
    const following = follow(service, ports, {
      useCase,
      featureNames: online.featureNames,
      signal: stop.signal,
      everyMs: 1000 * whole(call, 'every-seconds', 1)!,
      // what cannot be stored now is kept, and tried again at the next look
      afterLook: () => log.flush().catch(() => undefined),
    });
    const champion = service.live.control?.version;
    call.output.note(
      `${useCase} at http://${server.host}:${server.port}, ${champion === undefined ? 'no version is live yet: people decide' : `version ${champion} decides`}. Ctrl+C ends it.`,
    );
    if (!/^(127\.|::1$|localhost$)/.test(server.host)) {
      call.output.note(
        'It listens beyond this machine and asks nobody who they are: put something that does in front of it.',
      );
    }
    call.output.document({ useCase, host: server.host, port: server.port, champion: champion ?? null });

    await following;
    await server.close();
    await log.flush();
    return exitCodes.ok;
  },
};

/** A service on the ports of this machine, with nothing live yet. Throws `NotOnline`. */
export async function openService(
  ports: Ports,
  useCase: string,
  { isOff = false }: { isOff?: boolean } = {},
): Promise<{ service: Service; log: DecisionLog; online: Online }> {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const actions = actionsOf(declaration);
  const online = await onlineOf(useCase);
  const log = new DecisionLog(ports, useCase);
  const service = new Service({
    useCase,
    decider: new Decider(online, actions),
    traffic: new Traffic(actions.positive),
    measures: new Measures(),
    telemetry: ports.telemetry,
    nowMs: () => ports.clock.nowMs(),
    monotonicMs: () => performance.now(),
    log,
    isOff,
    // what broke is stopped for good, for every server of the use case
    onGuard: (reason) => {
      ports.telemetry.warn('experiment stopped', { useCase, reason });
      void stopExperiment(ports, useCase, { actor: 'bordereau serve', reason }).catch(() => undefined);
    },
  });
  return { service, log, online };
}

async function onlineOf(useCase: string): Promise<Online> {
  const path = join(useCasesFolder, useCase, 'online.ts');
  if (!existsSync(path))
    throw new NotOnline(`The use case ${useCase} has no online.ts: its cases are decided in batches.`);
  return ((await import(pathToFileURL(path).href)) as OnlineModule).online;
}
