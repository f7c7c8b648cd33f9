# Has Redmine 5 add follow-ups of Incident Reporter to the issue that has the same reference at the end of its
# subject. Copy it to config/initializers/ and restart Redmine. See docs/helpdesks/redmine.md.
module IncidentReporterThreads
  SENDER = ENV.fetch("INCIDENT_REPORTER_SENDER", "incident-reporter@example.com").downcase
  REFERENCE = /\| (INC-[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{5})\z/

  private

  def dispatch
    issue = incident_reporter_issue
    issue ? receive_issue_reply(issue.id) : super
  end

  # Of mails from our address only: a stranger may know a reference.
  def incident_reporter_issue
    return unless email.from.to_a.map(&:downcase) == [SENDER] && email.in_reply_to
    reference = email.subject.to_s.strip[REFERENCE, 1]
    reference && Issue.where("subject LIKE ?", "%| #{reference}").order(:id).first
  end
end

Rails.application.config.to_prepare do
  MailHandler.prepend(IncidentReporterThreads) unless MailHandler < IncidentReporterThreads
end
