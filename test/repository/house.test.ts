import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineNames, stageNames, stages, substitutionOf } from '../../src/stages.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const files = (pattern: string) =>
  globSync(pattern, { cwd: root })
    .map((path) => normalize(path))
    .sort();

describe('imports run one way', () => {
  // from the top of the house to its ground; a part may import its own floor and every floor below
  const floors: readonly (readonly string[])[] = [
    ['src/cli'],
    ['src/runtime', 'lambdas', 'infra'],
    ['src/adapters', 'src/stages', 'src/serving'],
    ['src/stages.ts', 'src/triggers.ts'],
    ['src/report', 'src/privacy', 'src/asl'],
    ['src/governance', 'src/monitoring', 'src/lake', 'src/recommend'],
    ['src/usecase', 'src/ports'],
    ['src/ml', 'src/data'],
  ];
  const floorOf = (path: string) =>
    floors.findIndex((parts) => parts.some((part) => path === part || path.startsWith(`${part}/`)));
  const partOf = (path: string) => floors[floorOf(path)]?.find((part) => path === part || path.startsWith(`${part}/`));

  const importsOf = (path: string) =>
    [...read(path).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]);
  const local = (path: string) =>
    importsOf(path)
      .filter((target) => target.startsWith('.'))
      .map((target) => normalize(join(dirname(path), target)));

  const code = files('{src,lambdas,infra}/**/*.ts');

  test('every file has its floor', () => {
    expect(code.length).toBeGreaterThan(50);
    expect(code.filter((path) => floorOf(path) < 0)).toEqual([]);
  });

  test('no file imports from a floor above its own', () => {
    const upward = code.flatMap((path) =>
      local(path)
        .filter((target) => floorOf(target) >= 0 && floorOf(target) < floorOf(path))
        .map((target) => `${path} → ${target}`),
    );
    expect(upward).toEqual([]);
  });

  test('no circle of folders on one floor', () => {
    const sideways = new Set(
      code.flatMap((path) =>
        local(path)
          .filter((target) => floorOf(target) === floorOf(path) && partOf(target) !== partOf(path))
          .map((target) => `${partOf(path)} → ${partOf(target)}`),
      ),
    );
    const circles = [...sideways].filter((edge) => sideways.has(edge.split(' → ').toReversed().join(' → ')));
    expect(circles).toEqual([]);
  });

  test('stages never import an adapter', () => {
    const offenders = code.filter(
      (path) => path.startsWith('src/stages/') && local(path).some((target) => target.startsWith('src/adapters')),
    );
    expect(offenders).toEqual([]);
  });

  test('the interpreter imports nothing of the product but its ports', () => {
    const targets = code
      .filter((path) => path.startsWith('src/asl/'))
      .flatMap(local)
      .filter(
        (target) => !target.startsWith('src/asl/') && !target.startsWith('src/ports/') && target !== 'src/data/json.ts',
      );
    expect(targets).toEqual([]);
  });

  test('no SDK, file system, environment, clock or chance in the pure folders', () => {
    const impure =
      /@aws-sdk\/|node:(fs|child_process|os|net|http)|process\.env|Date\.now\(|new Date\(\)|Math\.random\(/;
    const offenders = files('src/{ml,governance,monitoring,asl,lake,report,recommend}/**/*.ts').filter((path) =>
      impure.test(read(path)),
    );
    expect(offenders).toEqual([]);
  });
});

describe('one word per step', () => {
  const machine = (name: string) => JSON.parse(read(`statemachines/${name}.asl.json`)) as { States: States };
  type States = { [name: string]: { Type: string; Resource?: string; ItemProcessor?: { States: States } } & object };

  /** Every state, those inside a Map too. */
  function* statesOf(states: States): Generator<[string, States[string]]> {
    for (const [name, state] of Object.entries(states)) {
      yield [name, state];
      if (state.ItemProcessor) yield* statesOf(state.ItemProcessor.States);
    }
  }

  test('the machines are those of src/stages.ts', () => {
    expect(files('statemachines/*').map((path) => path.slice('statemachines/'.length, -'.asl.json'.length))).toEqual(
      [...machineNames].sort(),
    );
  });

  test.each(machineNames)('the function-calling states of %s are the stages declared for it', (name) => {
    const calling = [...statesOf(machine(name).States)].filter(
      ([, state]) => state.Resource === 'arn:aws:states:::lambda:invoke',
    );
    expect(calling.map(([state]) => state).sort()).toEqual(
      stageNames.filter((stage) => (stages[stage].machines as readonly string[]).includes(name)).sort(),
    );
    for (const [state, definition] of calling) {
      expect(JSON.stringify(definition)).toContain(
        `"FunctionName":"\${${substitutionOf(state as (typeof stageNames)[number])}}"`,
      );
    }
  });

  test('a state waits a little longer than its function may run', () => {
    for (const name of machineNames) {
      for (const [state, definition] of statesOf(machine(name).States)) {
        if (!(state in stages)) continue;
        const { timeoutSeconds } = stages[state as keyof typeof stages];
        expect((definition as unknown as { TimeoutSeconds: number }).TimeoutSeconds).toBeGreaterThan(timeoutSeconds);
      }
    }
  });

  test('each stage has its file and its handler, and there are no others', () => {
    const expected = stageNames.map((name) => name.toLowerCase()).sort();
    const names = (pattern: string) => files(pattern).map((path) => path.split('/').at(-1)!.slice(0, -3));
    expect(names('lambdas/*.ts')).toEqual(expected);
    const stageFiles = names('src/stages/*.ts').filter((name) => expected.includes(name));
    expect(stageFiles).toEqual(expected);
  });
});

describe('the repository speaks of the product alone', () => {
  const text = files('**/*.{ts,mjs,json,md,sql,yaml,yml,py}').filter(
    (path) => !/^(node_modules|cdk\.out|\.bordereau)\//.test(path) && path !== 'package-lock.json',
  );

  test('no absolute path of a developer’s machine', () => {
    const pattern = new RegExp(String.raw`(^|[^A-Za-z0-9_./-])/(root|work|home|Users)/[A-Za-z]`, 'm');
    expect(text.filter((path) => path !== 'test/repository/house.test.ts' && pattern.test(read(path)))).toEqual([]);
  });

  test('nothing unfinished', () => {
    const pattern = /TODO|FIXME|not implemented|for now/;
    expect(
      files('{src,lambdas,infra,usecases,statemachines,docs}/**/*').filter(
        (path) => /\.\w+$/.test(path) && pattern.test(read(path)),
      ),
    ).toEqual([]);
  });

  test('the lock file names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });
});
