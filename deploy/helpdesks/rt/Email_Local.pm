# Has Request Tracker 4.4 and 5 find a ticket by the Message-ID that a mail answers, where its subject has
# no tag. Copy it to local/lib/RT/Interface/Email_Local.pm and restart RT. See docs/helpdesks/rt.md.
package RT::Interface::Email;

use strict;
use warnings;
no warnings 'redefine';

my $by_subject = \&ExtractTicketId;

*ExtractTicketId = sub {
    my $entity = shift;
    my $id = $by_subject->($entity);
    return $id if $id;
    my %tried;
    for my $name (qw(In-Reply-To References)) {
        my $value = $entity->head->get($name) // '';
        for my $message_id ( grep { !$tried{$_}++ } $value =~ /<([^<>\s]{1,250})>/g ) {
            my $attachments = RT::Attachments->new( RT->SystemUser );
            $attachments->Limit( FIELD => 'MessageId', VALUE => $message_id );
            $attachments->OrderBy( FIELD => 'id', ORDER => 'ASC' );
            my $found = $attachments->First or next;
            my $transaction = $found->TransactionObj;
            next unless $transaction->ObjectType eq 'RT::Ticket';
            return $transaction->ObjectId;
        }
    }
    return;
};

1;
