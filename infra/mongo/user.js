// For docker-compose.secure.yml: MongoDB's image runs it once, in a new database. Aisle's user may read and write in its
// own database, and nothing else.
const { readFileSync } = require("fs");

db.getSiblingDB("aisle").createUser({
  user: "aisle",
  pwd: readFileSync("/run/aisle/aisle_password", "utf8"),
  roles: [{ role: "readWrite", db: "aisle" }],
});
