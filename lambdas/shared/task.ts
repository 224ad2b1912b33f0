/**
 * The only shell round a stage: parse the input, log, trace and measure, run the stage, check its output. Nothing of the
 * input's or output's content is logged: names, counts and durations are enough to follow a run.
 */
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import { runStage } from '../../src/stages/run.ts';
import type { Stage } from '../../src/stages/stage.ts';
import type { StageName } from '../../src/stages.ts';
import { lambdaPorts } from './ports.ts';
import { logger, metrics, tracer } from './telemetry.ts';

/** The Lambda handler of one stage. The error's `name` is what the state machine's Retry and Catch see. */
export function task<Name extends StageName>(name: Name, stage: Stage<Name>) {
  return middy()
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
    .use(logMetrics(metrics, { captureColdStartMetric: true }))
    .handler(async (event: unknown) => runStage(name, stage, event, await lambdaPorts()));
}
