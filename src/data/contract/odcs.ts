import * as z from 'zod';
import { logicalTypes, metrics, operators, outcomes } from './contract.ts';

/*
 * The Open Data Contract Standard 3.1 as this product reads it. The shapes are closed, as in the standard's own schema, so
 * that a misspelt field is an error. What only informs people (team, price, support …) may have any content; what would
 * demand something that is not enforced here (arrays, relationships, SQL checks …) is refused instead of ignored.
 */

const text = z.string().min(1);
const informs = z.unknown().optional();
const bound = z.union([z.number(), text]).optional();

const customProperties = z
  .array(z.strictObject({ property: text, value: z.unknown(), description: informs }))
  .optional();

const element = {
  name: text,
  description: z.string().optional(),
  businessName: informs,
  authoritativeDefinitions: informs,
  tags: informs,
  customProperties,
};

const comparisons = Object.fromEntries(operators.map((operator) => [operator, z.number().optional()])) as {
  [operator in (typeof operators)[number]]: z.ZodOptional<z.ZodNumber>;
};

const quality = z.strictObject({
  name: text,
  type: z.enum(['library', 'custom', 'text']).default('library'),
  description: z.string().optional(),
  dimension: z
    .enum(['accuracy', 'completeness', 'conformity', 'consistency', 'coverage', 'timeliness', 'uniqueness'])
    .optional(),
  severity: z.enum(outcomes).optional(),
  businessImpact: informs,
  tags: informs,
  authoritativeDefinitions: informs,
  customProperties,
  metric: z.enum([...metrics, 'invalidValues']).optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  unit: z.enum(['rows', 'percent']).default('rows'),
  ...comparisons,
  engine: z.literal('bordereau').optional(),
  implementation: z.string().optional(),
});
export type OdcsQuality = z.output<typeof quality>;

const property = z.strictObject({
  ...element,
  primaryKey: z.boolean().default(false),
  primaryKeyPosition: z.number().int().optional(),
  logicalType: z.enum(logicalTypes),
  logicalTypeOptions: z
    .strictObject({
      minimum: bound,
      maximum: bound,
      exclusiveMinimum: bound,
      exclusiveMaximum: bound,
      multipleOf: z.number().positive().optional(),
      minLength: z.number().int().min(0).optional(),
      maxLength: z.number().int().min(0).optional(),
      pattern: text.optional(),
    })
    .default({}),
  physicalType: text.optional(),
  physicalName: text.optional(),
  required: z.boolean().default(false),
  unique: z.boolean().default(false),
  classification: text.optional(),
  criticalDataElement: informs,
  examples: informs,
  transformLogic: informs,
  transformDescription: informs,
  quality: z.array(quality).default([]),
});
export type OdcsProperty = z.output<typeof property>;

const schemaObject = z.strictObject({
  ...element,
  logicalType: z.literal('object').optional(),
  physicalType: informs,
  physicalName: informs,
  dataGranularityDescription: informs,
  properties: z.array(property).min(1),
  quality: z.array(quality).default([]),
});
export type OdcsObject = z.output<typeof schemaObject>;

/** One data contract document. One schema object per contract: a source is one table. */
export const odcsDocument = z.strictObject({
  apiVersion: z.enum(['v3.1.0', 'v3.0.2', 'v3.0.1', 'v3.0.0']),
  kind: z.literal('DataContract'),
  id: text,
  version: text,
  status: text,
  name: informs,
  tenant: informs,
  domain: informs,
  dataProduct: informs,
  description: informs,
  tags: informs,
  servers: informs,
  support: informs,
  price: informs,
  team: informs,
  roles: informs,
  slaProperties: informs,
  authoritativeDefinitions: informs,
  customProperties,
  contractCreatedTs: informs,
  schema: z.tuple([schemaObject]),
});
