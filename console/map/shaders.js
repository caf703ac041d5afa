// The programs of the map: points, and the density of the view from far off.

export const POINTS = {
  vertex: `#version 300 es
    in float x; in float y; in uint value; in uint year;
    uniform vec2 middle, scale;   // of the view, in steps; clip space a step
    uniform float size, opacity;
    uniform uvec2 years;
    uniform sampler2D palette;
    flat out vec4 colour;
    void main() {
      bool shown = year >= years.x && year <= years.y;
      gl_Position = shown ? vec4((vec2(x, y) - middle) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
      gl_PointSize = size;
      colour = vec4(texelFetch(palette, ivec2(int(value), 0), 0).rgb * opacity, opacity);
    }`,
  // A square is as good as a disc where it is two pixels wide, and quicker to draw.
  fragment: `#version 300 es
    precision highp float;
    flat in vec4 colour;
    uniform float size, hole;
    out vec4 drawn;
    void main() {
      drawn = colour;
      if (size > 2.5) {
        float far = length(gl_PointCoord - 0.5) * size;
        float edge = clamp(size * 0.5 - far, 0.0, 1.0) * (hole > 0.0 ? clamp(far - hole * 0.5 + 0.5, 0.0, 1.0) : 1.0);
        drawn = colour * edge;
      }
    }`,
};

export const DENSITY = {
  vertex: `#version 300 es
    uniform vec2 middle, scale;
    out vec2 place;
    void main() {
      vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
      place = corner;
      gl_Position = vec4((corner * 65535.0 - middle) * scale, 0.0, 1.0);
    }`,
  fragment: `#version 300 es
    precision highp float;
    in vec2 place;
    uniform sampler2D cells;
    uniform float opacity;
    out vec4 drawn;
    void main() { drawn = texture(cells, place) * opacity; }`,
};
