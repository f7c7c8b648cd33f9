#!/bin/sh
# What the helpdesks of Debian need before the mails can be fed to them, and how. They are services of
# their own, with a database and a mail server each: do it on a machine that may be thrown away.
#
#   debian.sh needs         says what has to be installed
#   debian.sh rt FOLDER     feeds the mails in FOLDER to Request Tracker 5, and lists its tickets
#   debian.sh redmine FOLDER    the same with Redmine 5
#
# FOLDER is what this makes: .venv/bin/python tests/helpdesks/mails.py rt FOLDER
set -eu
here=$(dirname "$(readlink -f "$0")")

needs() {
	cat <<'END'
Request Tracker:  apt-get install request-tracker5 rt5-db-sqlite
  the plugin:     cp deploy/helpdesks/rt/Email_Local.pm \
                     /usr/local/share/request-tracker5/lib/RT/Interface/
Redmine:          apt-get install redmine redmine-sqlite
  the plugin:     cp deploy/helpdesks/redmine/incident_reporter.rb \
                     /usr/share/redmine/config/initializers/
Znuny:            is not in Debian 12: https://www.znuny.org/en/releases
  feed:           su -c 'bin/otrs.Console.pl Maint::PostMaster::Read' otrs < MAIL, for each
END
}

case ${1:-needs} in
needs) needs ;;
rt) perl -I/usr/share/request-tracker5/lib -I/usr/local/share/request-tracker5/lib "$here/rt.pl" "$2" ;;
redmine)
	for mail in "$2"/*.eml; do
		(cd /usr/share/redmine && RAILS_ENV=production bundle exec rake redmine:email:read \
			project=incidents unknown_user=accept no_permission_check=1 < "$mail")
	done
	cd /usr/share/redmine && RAILS_ENV=production bundle exec rails runner \
		'Issue.order(:id).each { |i| puts "#{i.subject}: #{i.journals.count} follow-ups" }'
	;;
*) needs; exit 2 ;;
esac
