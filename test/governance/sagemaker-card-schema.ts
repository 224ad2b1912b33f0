import * as z from 'zod';

/**
 * What SageMaker accepts as the card of a model package, as far as our cards use it: after "Model package model card schema"
 * (SageMakerModelCardSchema 0.1.0), docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html. Closed objects, longest
 * texts and lists are the document's.
 */
const text = (longest: number) => z.string().max(longest);
const name = (longest: number) => z.string().min(1).max(longest);

const metric = z
  .strictObject({
    name: name(255),
    notes: text(1024).optional(),
    type: z.enum(['number', 'string', 'boolean']),
    value: z.union([z.number(), text(63), z.boolean()]),
  })
  .refine(({ type, value }) => typeof value === type, 'the value is not of the type named');

const parameter = z.strictObject({ name: name(255), value: name(255) });

export const sageMakerCardSchema = z.strictObject({
  model_overview: z.strictObject({
    model_creator: text(1024).optional(),
    model_artifact: z.array(text(1024)).max(15).optional(),
  }),
  intended_uses: z
    .strictObject({
      purpose_of_model: text(2048).optional(),
      intended_uses: text(2048).optional(),
      factors_affecting_model_efficiency: text(2048).optional(),
      risk_rating: z.enum(['High', 'Medium', 'Low', 'Unknown']).optional(),
      explanations_for_risk_rating: text(2048).optional(),
    })
    .optional(),
  business_details: z
    .strictObject({
      business_problem: text(2048).optional(),
      business_stakeholders: text(2048).optional(),
      line_of_business: text(2048).optional(),
    })
    .optional(),
  training_details: z
    .strictObject({
      training_observations: text(1024).optional(),
      training_job_details: z
        .strictObject({
          training_arn: text(1024).optional(),
          training_datasets: z.array(text(1024)).max(15).optional(),
          user_provided_hyper_parameters: z.array(parameter).max(100).optional(),
        })
        .optional(),
    })
    .optional(),
  evaluation_details: z
    .array(
      z.strictObject({
        name: name(63),
        evaluation_observation: text(2096).optional(),
        evaluation_job_arn: text(256).optional(),
        datasets: z.array(text(1024)).max(10).optional(),
        metadata: z.record(z.string(), text(1024)).optional(),
        metric_groups: z.array(z.object({ name: name(63), metric_data: z.array(metric) })).optional(),
      }),
    )
    .optional(),
  additional_information: z
    .strictObject({
      ethical_considerations: text(2048).optional(),
      caveats_and_recommendations: text(2048).optional(),
      custom_details: z.record(z.string(), text(1024)).optional(),
    })
    .optional(),
});
