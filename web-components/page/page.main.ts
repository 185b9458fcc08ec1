import '../elements/app/app.define.js';
