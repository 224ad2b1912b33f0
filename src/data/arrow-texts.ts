import { type Data, Utf8, makeData } from 'apache-arrow';
import type { Texts } from './text-column.ts';

/** A column of texts as Arrow's own, which shares its bytes. */
export const arrowTexts = ({ values, ...layout }: Texts): Data<Utf8> =>
  makeData({ type: new Utf8(), ...layout, data: values });
