# Has Redmine 5 add follow-ups of Incident Reporter to the issue that has the same reference at the end of its
# subject, and tell Incident Reporter what becomes of it. Copy it to config/initializers/ and restart Redmine.
# See docs/helpdesks/redmine.md.
require "json"
require "net/http"

module IncidentReporter
  SENDER = ENV.fetch("INCIDENT_REPORTER_SENDER", "incident-reporter@example.com").downcase
  HOOK = ENV["INCIDENT_REPORTER_HOOK"] # as in https://incidents.example.com/hooks/helpdesk; without it nothing is told
  SECRET = ENV["INCIDENT_REPORTER_SECRET"]
  REFERENCE = /\| (INC-[A-HJKMNP-TV-Z][0-9A-HJKMNP-TV-Z]{5})\z/
  CUSTOMER = /^reporter_email: (\S+)\r?$/

  module Threads
    private

    # Of mails from our address only: a stranger may know a reference.
    def dispatch
      if email.from.to_a.map(&:downcase) == [SENDER] && email.in_reply_to
        reference = email.subject.to_s.strip[REFERENCE, 1]
        issue = reference && Issue.where("subject LIKE ?", "%| #{reference}").order(:id).first
        email.subject = "#{email.subject} [##{issue.id}]" if issue
      end
      super
    end
  end

  # Redmine has saved it by then: whatever goes wrong here is logged, and harms nothing.
  def self.tell(issue, event)
    return unless HOOK && issue.subject[REFERENCE]
    uri = URI(HOOK)
    headers = { "Authorization" => "Bearer #{SECRET}", "Content-Type" => "application/json" }
    body = JSON.generate(subject: issue.subject, event: event, number: issue.id)
    Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", open_timeout: 5, read_timeout: 10) do |http|
      answer = http.post(uri.request_uri, body, headers)
      Rails.logger.error "Incident Reporter: #{answer.code}" unless answer.is_a?(Net::HTTPSuccess)
    end
  rescue StandardError => error
    Rails.logger.error "Incident Reporter: #{error.class}"
  end

  module Created
    def self.prepended(issues) = issues.after_create_commit { IncidentReporter.tell(self, "created") }
  end

  module Changed
    def self.prepended(journals) = journals.after_create_commit { incident_reporter_tell }

    private

    # A note is an answer only where Redmine mails it to the customer.
    def incident_reporter_tell
      return unless journalized_type == "Issue" && user&.logged? && user.mail.to_s.downcase != SENDER
      customer = issue.description.to_s[CUSTOMER, 1].to_s.downcase
      mailed = (notified_users | notified_watchers).map { |each| each.mail.to_s.downcase }
      answers = notes.present? && user.mail.to_s.downcase != customer && mailed.include?(customer)
      IncidentReporter.tell(issue, "answered") if answers
      status = details.detect { |each| each.prop_key == "status_id" } or return
      before, now = [status.old_value, status.value].map { |id| IssueStatus.find_by(id: id)&.is_closed? }
      IncidentReporter.tell(issue, now ? "solved" : "reopened") if before != now
    end
  end
end

Rails.application.config.to_prepare do
  MailHandler.prepend(IncidentReporter::Threads) unless MailHandler < IncidentReporter::Threads
  Issue.prepend(IncidentReporter::Created) unless Issue < IncidentReporter::Created
  Journal.prepend(IncidentReporter::Changed) unless Journal < IncidentReporter::Changed
end
