/**
 * The deployed service: one request of the HTTP API, one response. Unlike a server it remembers a decision before it answers, since
 * the function may be frozen the moment it has.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { Decider } from '../../src/serving/decider.ts';
import { DecisionLog } from '../../src/serving/decision-log.ts';
import { look } from '../../src/serving/follow.ts';
import { Measures } from '../../src/serving/measures.ts';
import { actionsOf } from '../../src/serving/online-use-case.ts';
import { Service } from '../../src/serving/service.ts';
import { Traffic } from '../../src/serving/traffic.ts';
import { catalogueFromJson, useCaseOf } from '../../src/usecase/catalogue.ts';
import type { OnlineModule } from '../../src/usecase/online.ts';
import { logger, metrics, tracer } from '../shared/telemetry.ts';
import { onlinePorts, required } from './ports.ts';

/** How old what is known of the promotion log may be. */
const freshMs = 30_000;

type Opened = Awaited<ReturnType<typeof open>>;
let opened: Promise<Opened> | undefined;

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .handler(async (event) => {
    const { service, log, refresh } = await (opened ??= open());
    await refresh();
    const { status, headers, body } = service.handle({
      method: event.requestContext.http.method,
      path: event.rawPath,
      ...(event.headers['content-type'] !== undefined && { contentType: event.headers['content-type'] }),
      body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    });
    await log.flush();
    return { statusCode: status, headers, body };
  });

/** Made once per warm function. The catalogue and the use case's features lie beside the bundled handler. */
async function open() {
  const useCase = required('USE_CASE');
  const beside = (file: string) => join(required('LAMBDA_TASK_ROOT'), file);
  const catalogue = catalogueFromJson(await readFile(beside('catalogue.json'), 'utf8'));
  const { online } = (await import(pathToFileURL(beside('online.mjs')).href)) as OnlineModule;
  const ports = onlinePorts();
  const actions = actionsOf(useCaseOf(catalogue, useCase).declaration);
  const log = new DecisionLog(ports, useCase, { partRows: Infinity });
  const service = new Service({
    useCase,
    decider: new Decider(online, actions),
    traffic: new Traffic(actions.positive),
    measures: new Measures(),
    telemetry: ports.telemetry,
    nowMs: () => ports.clock.nowMs(),
    monotonicMs: () => performance.now(),
    log: {
      add: (decided, nowMs) => {
        count(decided, useCase);
        log.add(decided, nowMs);
      },
    },
    onGuard: (reason) => {
      ports.telemetry.warn('experiment guard broken', { useCase, reason });
      measure(useCase, 'ExperimentGuardsBroken', 1);
    },
  });
  let lookedAtMs = -Infinity;
  const refresh = async () => {
    if (ports.clock.nowMs() - lookedAtMs < freshMs) return;
    if (await look(service, ports, useCase, online.featureNames)) lookedAtMs = ports.clock.nowMs();
  };
  return { service, log, refresh };
}

/** For the alarms: how many were decided, and how many of them by nobody but an error. */
function count(decided: readonly { code: string }[], useCase: string): void {
  measure(useCase, 'OnlineDecisions', decided.length);
  measure(useCase, 'OnlineErrors', decided.filter(({ code }) => code.startsWith('ML_ERROR')).length);
}

function measure(useCase: string, name: string, value: number): void {
  const single = metrics.singleMetric();
  single.addDimension('useCase', useCase);
  single.addMetric(name, MetricUnit.Count, value);
}
