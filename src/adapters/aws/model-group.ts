/** A model package group cannot have that name. */
export class ModelGroupNameTooLong extends Error {
  override readonly name = 'ModelGroupNameTooLong';
}

/**
 * The model package group of a use case, one per deployment: SageMaker's word for a model with versions. Throws
 * `ModelGroupNameTooLong`, at the latest when the stack is synthesised.
 */
export function modelGroupName(prefix: string, useCase: string): string {
  const name = `${prefix}-${useCase}`;
  if (name.length <= longestName) return name;
  throw new ModelGroupNameTooLong(
    `SageMaker's model package group for the use case ${useCase} would be ${name}, which is longer than ${longestName} characters. ` +
      `Give the use case an id of at most ${longestName - prefix.length - 1}.`,
  );
}

const longestName = 63;
