# Feeds the mails of a folder to a fresh Redmine, and says as JSON what it made of them. The last one
# is answered and solved. Run by `rails runner`: redmine.rb MAILS OUT
require "digest"
require "json"

mails, out = ARGV
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
issue = Issue.last
issue.init_journal(agent)
issue.status = IssueStatus.where(is_closed: true).first
issue.save!

told = { tickets: tickets, on_arrival: on_arrival, on_answer: sent.drop(on_arrival.size) }
File.write(out, JSON.generate(told))
