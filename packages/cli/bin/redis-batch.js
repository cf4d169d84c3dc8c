#!/usr/bin/env node
// Here rather than in dist/, so that package managers find it before the first build.
import "../dist/bin.js";
