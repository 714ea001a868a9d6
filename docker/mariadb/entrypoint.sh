#!/bin/sh
# Makes the database and its account in an empty volume, then becomes the server. `entrypoint.sh health` asks it a question.
set -eu
: "${MARIADB_DATABASE:=confero}" "${MARIADB_USER:=confero}" "${MARIADB_PASSWORD:?set MARIADB_PASSWORD}"
if [ "${1:-}" = health ]; then
  exec mariadb -u"$MARIADB_USER" -p"$MARIADB_PASSWORD" -h127.0.0.1 -e 'select 1' "$MARIADB_DATABASE"
fi
mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld /var/lib/mysql
if [ -d /var/lib/mysql/mysql ]; then
  exec mariadbd --user=mysql
fi
mariadb-install-db --user=mysql --skip-test-db --auth-root-authentication-method=socket >/dev/null
init=$(mktemp)
cat >"$init" <<SQL
CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;
CREATE USER IF NOT EXISTS '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
SQL
chown mysql "$init"
exec mariadbd --user=mysql --init-file="$init"
