// Draws points with WebGL 2. A block of the file is one buffer, as it came; the way to colour is which of its arrays is
// read. What is at rest is drawn part by part into a picture beside the page, and shown when it is whole.
import { DENSITY, POINTS } from "/console/map/shaders.js";

const ARRAYS = { source: 4, year: 5, cluster: 6 };

export class Renderer {
  // Null where there is no WebGL 2.
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true });
    return gl && new Renderer(gl);
  }

  constructor(gl) {
    this.gl = gl;
    this.restore();
  }

  // Builds what a lost context took with it; buffers are filled again as blocks are drawn.
  restore() {
    const { gl } = this;
    this.buffers = new Map();
    this.points = program(gl, POINTS, ["x", "y", "value", "year"]);
    this.density = program(gl, DENSITY, []);
    this.palettes = new Map();
    this.cells = texture(gl, gl.LINEAR);
    this.pictureTexture = texture(gl, gl.NEAREST);
    this.picture = gl.createFramebuffer();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.resize(gl.canvas.width, gl.canvas.height);
  }

  get lost() {
    return this.gl.isContextLost();
  }

  resize(width, height) {
    const { gl } = this;
    [gl.canvas.width, gl.canvas.height] = [width, height];
    gl.bindTexture(gl.TEXTURE_2D, this.pictureTexture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.picture);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.pictureTexture, 0);
    gl.viewport(0, 0, width, height);
  }

  setPalettes(palettes) {
    const { gl } = this;
    for (const [name, colours] of Object.entries(palettes)) {
      if (!(colours instanceof Uint8Array)) continue;
      if (!this.palettes.has(name)) this.palettes.set(name, texture(gl, gl.NEAREST));
      gl.bindTexture(gl.TEXTURE_2D, this.palettes.get(name));
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, colours);
    }
  }

  setCells(side, colours) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.cells);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, side, side, 0, gl.RGBA, gl.UNSIGNED_BYTE, colours);
  }

  // To draw into the picture beside the page, or onto the page.
  aim(beside, ground) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, beside ? this.picture : null);
    if (!ground) return;
    gl.clearColor(...ground, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  show() {
    const { gl } = this, { width, height } = gl.canvas;
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.picture);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
    gl.blitFramebuffer(0, 0, width, height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, gl.NEAREST);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  drawDensity(view, opacity) {
    const { gl } = this;
    this.use(this.density, view);
    gl.bindTexture(gl.TEXTURE_2D, this.cells);
    gl.uniform1f(this.density.at.opacity, opacity);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  // The points [from, to) of a block. `look`: colour (an array of the block), palette, size, opacity, years, hole.
  drawPoints(view, block, from, to, look) {
    const { gl } = this, { at } = this.points;
    this.use(this.points, view);
    gl.bindTexture(gl.TEXTURE_2D, this.palettes.get(look.palette ?? look.colour));
    gl.uniform1f(at.size, look.size);
    gl.uniform1f(at.hole, look.hole ?? 0);
    gl.uniform1f(at.opacity, look.opacity);
    gl.uniform2ui(at.years, ...look.years);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer(block));
    gl.vertexAttribPointer(0, 1, gl.UNSIGNED_SHORT, false, 0, 0);
    gl.vertexAttribPointer(1, 1, gl.UNSIGNED_SHORT, false, 0, 2 * block.count);
    gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, 0, ARRAYS[look.colour] * block.count);
    gl.vertexAttribIPointer(3, 1, gl.UNSIGNED_BYTE, 0, ARRAYS.year * block.count);
    for (const index of [0, 1, 2, 3]) gl.enableVertexAttribArray(index);
    gl.drawArrays(gl.POINTS, from, to - from);
  }

  forget(block) {
    this.gl.deleteBuffer(this.buffers.get(block) ?? null);
    this.buffers.delete(block);
  }

  buffer(block) {
    const { gl } = this;
    if (!this.buffers.has(block)) {
      const made = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, made);
      gl.bufferData(gl.ARRAY_BUFFER, block.raw, gl.STATIC_DRAW);
      this.buffers.set(block, made);
    }
    return this.buffers.get(block);
  }

  use({ made, at }, { middle, scale }) {
    this.gl.useProgram(made);
    this.gl.uniform2f(at.middle, ...middle);
    this.gl.uniform2f(at.scale, ...scale);
  }
}

function program(gl, { vertex, fragment }, attributes) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  attributes.forEach((name, index) => gl.bindAttribLocation(made, index, name));
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`The map cannot be drawn here: ${gl.getProgramInfoLog(made)}`);
  const names = ["middle", "scale", "size", "opacity", "hole", "years"];
  return { made, at: Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(made, name)])) };
}

function texture(gl, filter) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, filter);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  return made;
}
