# Feeds the mails of a folder to a fresh Redmine, and says as JSON what it made of them. The last one
# is answered, solved and opened again. LOOK is where to ask for each step (live.py). Run by `rails
# runner`: redmine.rb MAILS OUT LOOK
require "digest"
require "json"
require "net/http"

mails, out, look = ARGV
look_at = ->(step) { Net::HTTP.start(URI(look).host, URI(look).port, read_timeout: 60) { |http| http.get("/#{step}").body } }
ActionMailer::Base.perform_deliveries = true
ActionMailer::Base.delivery_method = :test
ActiveJob::Base.queue_adapter = :inline

# As docs/helpdesks/redmine.md says to set it; the last mail is of a customer who is a user.
project = Project.create!(name: "Incidents", identifier: "incidents", trackers: Tracker.all)
options = { issue: { project: "incidents" }, unknown_user: "accept", no_permission_check: "1" }

def person(login, mail)
  user = User.new(firstname: login, lastname: login, mail: mail)
  user.login = login
  user.password = user.password_confirmation = "secret-of-the-trial"
  user.save!
  user
end

agent = person("ana", "ana@example.com")
Member.create!(project: project, principal: agent, roles: [Role.givable.first])
known = Mail.new(File.binread(Dir["#{mails}/*.eml"].max)).cc.to_a.first
person("customer", known) if known

Dir["#{mails}/*.eml"].sort.each do |path|
  warn "#{path}: not taken" unless MailHandler.receive(File.binread(path), options)
end
look_at.call("created")

def sent
  ActionMailer::Base.deliveries.map do |mail|
    { to: [*mail.to, *mail.cc, *mail.bcc], text: "#{mail.subject}\n\n#{mail.text_part&.decoded || mail.body.decoded}" }
  end
end

tickets = Issue.order(:id).map do |issue|
  {
    subject: issue.subject,
    requesters: [issue.author.mail, *issue.watcher_users.map(&:mail)].compact,
    bodies: [issue.description, *issue.journals.order(:id).map(&:notes)],
    files: issue.attachments.to_h { |each| [each.filename, Digest::SHA256.file(each.diskfile).hexdigest] },
  }
end
on_arrival = sent

User.current = agent
Issue.last.tap { |issue| issue.init_journal(agent, "Estamos en ello.") }.save!
look_at.call("answered")
on_answer = sent.drop(on_arrival.size)

id = Issue.last.id
set_closed = lambda do |closed|
  User.current = agent
  issue = Issue.find(id)
  issue.init_journal(agent)
  issue.status = IssueStatus.where(is_closed: closed).first
  issue.save!
end
set_closed.call(true)
look_at.call("solved")
MailHandler.receive(look_at.call("works"), options)
look_at.call("heard")
set_closed.call(true)
set_closed.call(false)
look_at.call("reopened")

# Somebody else, who knows the reference and the Message-ID of a ticket.
stranger = File.binread(Dir["#{mails}/3-*.eml"].first)
stranger = stranger.sub(/^From: .*$/, "From: eva@evil.example\r").sub(/^Message-ID: .*$/i, "Message-ID: <1@evil.example>\r")
before = Issue.count
MailHandler.receive(stranger, options)

told = { stranger_apart: Issue.count > before, tickets: tickets, on_arrival: on_arrival, on_answer: on_answer }
File.write(out, JSON.generate(told))
