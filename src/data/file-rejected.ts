/** Why a whole file is refused. The words are stable: receipts, alarms and tests name them. */
export type RejectionCode =
  | 'empty'
  | 'too-large'
  | 'not-text'
  | 'damaged'
  | 'wrong-format'
  | 'line-too-long'
  | 'malformed-header'
  | 'malformed-manifest'
  | 'too-many-columns'
  | 'wrong-delimiter'
  | 'duplicate-columns'
  | 'missing-columns'
  | 'unknown-columns'
  | 'unreadable-columns';

/** A file that cannot be read as what its contract describes. Nothing of it is accepted; it stays where it was dropped. */
export class FileRejected extends Error {
  override readonly name = 'FileRejected';
  readonly code: RejectionCode;
  readonly file: string;
  constructor(code: RejectionCode, file: string, reason: string, todo: string) {
    super(`The file ${file} is rejected (${code}): ${reason}. ${todo}`);
    this.code = code;
    this.file = file;
  }
}
