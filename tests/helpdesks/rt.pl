# Feeds the mails of a folder to Request Tracker, and says as JSON what it made of them.
use strict;
use warnings;
use JSON;
use Digest::SHA 'sha256_hex';
use RT -init;
use RT::Interface::Email;

my $folder = shift or die "rt.pl FOLDER\n";
my $queue = RT::Queue->new( RT->SystemUser );
$queue->Load('General');
for my $right (qw(CreateTicket ReplyToTicket SeeQueue)) {
    my $everyone = RT::Group->new( RT->SystemUser );
    $everyone->LoadSystemInternalGroup('Everyone');
    $everyone->PrincipalObj->GrantRight( Right => $right, Object => $queue );
}
for my $path ( sort glob("$folder/*.eml") ) {
    open my $file, '<', $path or die $!;
    my $mail = do { local $/; <$file> };
    my ( $status, $error ) = RT::Interface::Email::Gateway(
        { message => $mail, queue => 'General', action => 'correspond' } );
    warn "$path: $error\n" if $status != 1;
}
my @tickets;
my $tickets = RT::Tickets->new( RT->SystemUser );
$tickets->FromSQL('id > 0');
$tickets->OrderBy( FIELD => 'id', ORDER => 'ASC' );
while ( my $ticket = $tickets->Next ) {
    my ( @bodies, %files );
    my $transactions = $ticket->Transactions;
    while ( my $transaction = $transactions->Next ) {
        next unless $transaction->Type =~ /^(?:Create|Correspond)$/;
        my $attachments = $transaction->Attachments;
        my $body;
        while ( my $attachment = $attachments->Next ) {
            if ( my $name = $attachment->Filename ) {
                $files{$name} = sha256_hex( $attachment->OriginalContent );
            }
            elsif ( $attachment->ContentType eq 'text/plain' ) {
                $body = $attachment->Content;
            }
        }
        push @bodies, $body;
    }
    push @tickets,
        {
        subject    => $ticket->Subject,
        requesters => [ split /,\s*/, $ticket->RequestorAddresses ],
        bodies     => \@bodies,
        files      => \%files,
        };
}
binmode STDOUT, ":utf8";
print JSON->new->canonical->encode( { tickets => \@tickets, sent => [] } );
