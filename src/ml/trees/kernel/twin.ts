import { type KernelOperations, slotEntries } from './operations.ts';

/** The kernel in TypeScript: the reference for the WebAssembly one, and what runs where that is not to be had. */
export function twinOperations(memory: ArrayBuffer): KernelOperations {
  const bytes = new Uint8Array(memory);
  const integers = new Int32Array(memory);
  const doubles = new Float64Array(memory);

  return {
    buildOne(bins, slots, order, orderEnd, values, histogram) {
      const base = values / 8;
      for (let at = order / 4; at < orderEnd / 4; at++) {
        const row = integers[at];
        const value = doubles[base + row];
        const rowBins = bins + row * slots;
        for (let s = 0, run = histogram / 8; s < slots; s++, run += slotEntries)
          doubles[run + bytes[rowBins + s]] += value;
      }
    },

    buildTwo(bins, slots, order, orderEnd, values, histogram) {
      const base = values / 8;
      for (let at = order / 4; at < orderEnd / 4; at++) {
        const row = integers[at];
        const gradient = doubles[base + 2 * row];
        const packed = doubles[base + 2 * row + 1];
        const rowBins = bins + row * slots;
        for (let s = 0, run = histogram / 8; s < slots; s++, run += 2 * slotEntries) {
          const entry = run + 2 * bytes[rowBins + s];
          doubles[entry] += gradient;
          doubles[entry + 1] += packed;
        }
      }
    },

    buildListedOne(bins, slots, order, orderEnd, values, histogram, _buffer, list, listEnd) {
      const base = values / 8;
      for (let at = order / 4; at < orderEnd / 4; at++) {
        const row = integers[at];
        const value = doubles[base + row];
        const rowBins = bins + row * slots;
        for (let k = list / 4; k < listEnd / 4; k++) {
          const slot = integers[k];
          doubles[histogram / 8 + slot * slotEntries + bytes[rowBins + slot]] += value;
        }
      }
    },

    buildListedTwo(bins, slots, order, orderEnd, values, histogram, _buffer, list, listEnd) {
      const base = values / 8;
      for (let at = order / 4; at < orderEnd / 4; at++) {
        const row = integers[at];
        const gradient = doubles[base + 2 * row];
        const packed = doubles[base + 2 * row + 1];
        const rowBins = bins + row * slots;
        for (let k = list / 4; k < listEnd / 4; k++) {
          const slot = integers[k];
          const entry = histogram / 8 + 2 * (slot * slotEntries + bytes[rowBins + slot]);
          doubles[entry] += gradient;
          doubles[entry + 1] += packed;
        }
      }
    },

    subtract(parent, child, length) {
      for (let i = 0; i < length / 8; i++) doubles[parent / 8 + i] -= doubles[child / 8 + i];
    },

    scanOne(histogram, last, startPacked, gradient, count, countRange, leastCount, lambda, need) {
      const perCount = 1 / countRange;
      let packed = startPacked;
      let needed = doubles[need / 8];
      let position = -1;
      for (let bin = 0; bin <= last; bin++) {
        packed += doubles[histogram / 8 + bin];
        const left = Math.floor(packed * perCount);
        const leftCount = packed - left * countRange;
        if (leftCount < leastCount) continue;
        const rightCount = count - leftCount;
        if (rightCount < leastCount) break;
        const right = gradient - left;
        const leftWeight = leftCount + lambda;
        const rightWeight = rightCount + lambda;
        // the gain against what is needed, multiplied out: dividing takes longer than all the rest
        const products = left * left * rightWeight + right * right * leftWeight;
        if (!(products > needed * (leftWeight * rightWeight))) continue;
        const gain = (left * left) / leftWeight + (right * right) / rightWeight;
        if (gain > needed) {
          needed = gain;
          position = bin;
        }
      }
      doubles[need / 8] = needed;
      return position;
    },

    scanTwo(
      histogram,
      last,
      startGradient,
      startPacked,
      gradient,
      hessian,
      count,
      countRange,
      leastCount,
      leastHessian,
      lambda,
      need,
    ) {
      const perCount = 1 / countRange;
      let left = startGradient;
      let packed = startPacked;
      let needed = doubles[need / 8];
      let position = -1;
      for (let bin = 0; bin <= last; bin++) {
        left += doubles[histogram / 8 + 2 * bin];
        packed += doubles[histogram / 8 + 2 * bin + 1];
        const leftHessian = Math.floor(packed * perCount);
        const leftCount = packed - leftHessian * countRange;
        if (leftCount < leastCount || leftHessian < leastHessian) continue;
        const rightHessian = hessian - leftHessian;
        if (count - leftCount < leastCount || rightHessian < leastHessian) break;
        const right = gradient - left;
        const leftWeight = leftHessian + lambda;
        const rightWeight = rightHessian + lambda;
        const products = left * left * rightWeight + right * right * leftWeight;
        if (!(products > needed * (leftWeight * rightWeight))) continue;
        const gain = (left * left) / leftWeight + (right * right) / rightWeight;
        if (gain > needed) {
          needed = gain;
          position = bin;
        }
      }
      doubles[need / 8] = needed;
      return position;
    },

    scanRowsOne(
      column,
      order,
      orderEnd,
      values,
      scratch,
      _marks,
      gradient,
      count,
      countRange,
      leastCount,
      lambda,
      need,
    ) {
      let last = 0;
      for (let at = order / 4; at < orderEnd / 4; at++) {
        const row = integers[at];
        const bin = bytes[column + row];
        if (bin > last) last = bin;
        doubles[scratch / 8 + bin] += doubles[values / 8 + row];
      }
      const perCount = 1 / countRange;
      let packed = 0;
      let needed = doubles[need / 8];
      let position = -2;
      for (let bin = 0; bin <= last; bin++) {
        packed += doubles[scratch / 8 + bin];
        doubles[scratch / 8 + bin] = 0;
        const left = Math.floor(packed * perCount);
        const leftCount = packed - left * countRange;
        const rightCount = count - leftCount;
        if (leftCount > 0 && rightCount > 0 && position === -2) position = -1;
        if (leftCount < leastCount || rightCount < leastCount) continue;
        const right = gradient - left;
        const leftWeight = leftCount + lambda;
        const rightWeight = rightCount + lambda;
        const products = left * left * rightWeight + right * right * leftWeight;
        if (!(products > needed * (leftWeight * rightWeight))) continue;
        const gain = (left * left) / leftWeight + (right * right) / rightWeight;
        if (gain > needed) {
          needed = gain;
          position = bin;
        }
      }
      doubles[need / 8] = needed;
      return position;
    },
  };
}
