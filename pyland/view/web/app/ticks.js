/**
 * Round numbers along a scale.
 */
const STEPS = [1, 2, 2.5, 5, 10];

/**
 * @param {number} low
 * @param {number} high larger than low
 * @param {number} wanted about so many
 * @returns {number[]} between low and high
 */
export function roundTicks(low, high, wanted = 6) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.find((one) => one * power >= rough) * power;
  const ticks = [];
  for (let count = Math.ceil(low / step - 1e-9); count * step <= high + step * 1e-9; count += 1) {
    ticks.push(Number((count * step).toPrecision(10)));
  }
  return ticks;
}
