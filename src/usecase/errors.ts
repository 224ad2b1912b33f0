import { didYouMean } from '../data/nearest.ts';

/** A declaration cannot be used: misspelt, incomplete, or in contradiction with itself. The message lists all findings. */
export class InvalidDeclaration extends Error {
  override readonly name = 'InvalidDeclaration';
  readonly findings: readonly string[];
  constructor(file: string, findings: readonly string[]) {
    const list = findings.map((finding) => `\n  - ${finding}`).join('');
    super(`The use case ${file} cannot be used. Correct it and try again:${list}`);
    this.findings = findings;
  }
}

/** Nobody has declared a use case of that id. */
export class UnknownUseCase extends Error {
  override readonly name = 'UnknownUseCase';
  constructor(id: string, known: readonly string[]) {
    super(`There is no use case "${id}".${didYouMean(id, known)} There are: ${known.join(', ') || 'none'}.`);
  }
}

/** The use case has no source of that name. */
export class UnknownSource extends Error {
  override readonly name = 'UnknownSource';
  constructor(source: string, useCase: string, known: readonly string[]) {
    super(
      `The use case ${useCase} has no source "${source}".${didYouMean(source, known)} It has: ${known.join(', ')}.`,
    );
  }
}
