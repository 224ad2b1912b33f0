import type { Json } from '../data/json.ts';
import { isIntegerBetween, isObject, typeOf } from './fields.ts';
import type { Fields } from './fields.ts';
import type { StatesField } from './jsonata.ts';
import type { Lane } from './lane.ts';
import { secondsLimit } from './limits.ts';
import { compileTemplate } from './template.ts';
import type { Template } from './template.ts';

export type QueryLanguage = 'JSONata' | 'JSONPath';

/** A state, ready to run. */
export type State = {
  type: string;
  /** The states it may lead to. */
  targets: readonly { name: string; pointer: string }[];
  /** Whether the sequence can end with it. */
  ends: boolean;
  /** Runs the lane's current state and moves the lane on. Throws `StateFailure` where it fails for good. */
  run(lane: Lane): Promise<void>;
};

/** A sequence of states: a machine's, a branch's or an item processor's. */
export type Flow = { startAt: string; states: ReadonlyMap<string, State> };

/** What the reading of one sequence of states knows of its surroundings. */
export type FlowReading = {
  language: QueryLanguage;
  /** The sequence around it whose variables it sees. */
  outer: FlowReading | undefined;
  /** Every variable assigned in it, with the places. */
  assigned: { name: string; pointer: string }[];
  /** The names of the machine's Tasks, as far as it is read. */
  tasks: string[];
  /** Reads `StartAt` and `States` of a sequence inside. */
  readFlow(fields: Fields, outer: FlowReading | undefined): Flow;
};

const onlyInJsonPath = new Set(
  `InputPath OutputPath Parameters Result ResultPath ResultSelector Variable ItemsPath SecondsPath TimestampPath
   TimeoutSecondsPath HeartbeatSecondsPath MaxConcurrencyPath ToleratedFailureCountPath ToleratedFailurePercentagePath
   ErrorPath CausePath MaxItemsPath MaxItemsPerBatchPath MaxInputBytesPerBatchPath`.split(/\s+/u),
);
const onlyInJsonata = new Set(['Arguments', 'Output', 'Items', 'Condition']);

/** The fields of one state, or of a part of one, with what they have in common. */
export class StateFields {
  readonly fields: Fields;
  readonly name: string;
  readonly language: QueryLanguage;
  readonly flow: FlowReading;
  /** The field's name before the parts of a state, as AWS writes it: `Catch[0]/`. */
  readonly prefix: string;

  constructor(fields: Fields, name: string, language: QueryLanguage, flow: FlowReading, prefix = '') {
    this.fields = fields;
    this.name = name;
    this.language = language;
    this.flow = flow;
    this.prefix = prefix;
  }

  part(fields: Fields, prefix: string): StateFields {
    return new StateFields(fields, this.name, this.language, this.flow, this.prefix + prefix);
  }

  /** A part of the state that is an object. */
  object(name: string): StateFields | undefined {
    const fields = this.fields.object(name);
    return fields === undefined ? undefined : this.part(fields, `${name}/`);
  }

  /** A field that may hold expressions anywhere. */
  template(name: string, available: readonly StatesField[] = []): Template | undefined {
    const value = this.fields.take(name);
    return value === undefined ? undefined : this.#compile(name, value, available);
  }

  /** A field of one type, literal or as an expression. */
  typed(name: string, expected: string, fits: (value: Json) => boolean): Template | undefined {
    const value = this.fields.take(name);
    if (value === undefined) return undefined;
    if (this.#isExpression(value) || fits(value)) return this.#compile(name, value, []);
    this.fields.refuse(name, `Expected ${expected} but found ${JSON.stringify(value)}.`);
    return undefined;
  }

  text(name: string): Template | undefined {
    return this.typed(name, 'a string', (value) => typeof value === 'string');
  }

  integer(name: string, least: number, most = secondsLimit): Template | undefined {
    const expected = `an integer between ${least} and ${most}`;
    return this.typed(name, expected, (value) => isIntegerBetween(value, least, most));
  }

  /** A field that must be an object whose values may hold expressions, or one expression for the whole. */
  payload(name: string, available: readonly StatesField[] = []): Template | undefined {
    const value = this.fields.take(name);
    if (value === undefined) return undefined;
    if (isObject(value) || this.#isExpression(value)) return this.#compile(name, value, available);
    this.fields.refuse(name, `Expected an object but found ${typeOf(value)}.`);
    return undefined;
  }

  /** `Next` or `End: true`: exactly one. */
  next(): { next: string | undefined } {
    const { fields } = this;
    const next = fields.text('Next');
    const end = fields.flag('End');
    if (fields.has('Next') === (end === true)) {
      fields.refuseAll(`Expected either 'Next' or 'End': true.`);
    }
    return { next };
  }

  /** Refuses by name what was not read. */
  end(): void {
    this.fields.end((name) => {
      const other = this.language === 'JSONata' ? onlyInJsonPath : onlyInJsonata;
      if (!other.has(name)) return `Field '${name}' is not supported.`;
      const otherLanguage = this.language === 'JSONata' ? 'JSONPath' : 'JSONata';
      return `The QueryLanguage is set to '${this.language}', but field '${name}' is only supported for the '${otherLanguage}' QueryLanguage`;
    });
  }

  #isExpression(value: Json): boolean {
    return this.language === 'JSONata' && typeof value === 'string' && value.startsWith('{%');
  }

  #compile(name: string, value: Json, available: readonly StatesField[]): Template {
    if (this.language === 'JSONPath') return { kind: 'literal', value };
    const place = { field: this.prefix + name, pointer: this.fields.at(name) };
    return compileTemplate(value, place, ['input', 'context', ...available], this.fields.findings);
  }
}

/** Where `Next` leads, as a target; nowhere where the sequence ends. */
export function targetsOf(fields: Fields, next: string | undefined): { name: string; pointer: string }[] {
  return next === undefined ? [] : [{ name: next, pointer: fields.at('Next') }];
}
