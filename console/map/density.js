// The density as colours: how many points a cell has is how strong it is, and which are the commonest its colour.

// The level whose cells are nearest to four pixels wide, and how strong it is drawn: nothing once a cell is large, since
// then the points themselves are seen.
export function levelFor(levels, pixels) {
  const level = levels.findLast((one) => pixels / one.side >= 3) ?? levels[0];
  const cell = pixels / level.side;
  return { level, strength: Math.max(0, Math.min(1, (28 - cell) / 18)) };
}

export function cellColours(level, values, palette) {
  const found = new Uint8Array(4 * level.counts.length), most = Math.log1p(level.counts.reduce((one, other) => Math.max(one, other), 1));
  level.counts.forEach((count, cell) => {
    if (!count) return;
    const opacity = 0.55 * (Math.log1p(count) / most) ** 1.6, colour = 4 * values[cell];
    for (let part = 0; part < 3; part++) found[4 * cell + part] = palette[colour + part] * opacity;
    found[4 * cell + 3] = 255 * opacity;
  });
  return found;
}
