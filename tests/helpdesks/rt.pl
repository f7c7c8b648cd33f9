# Feeds the mails of a folder to a fresh Request Tracker, and says as JSON what it made of them.
# The last one is answered and solved; the scrip HOOK tells it.
#
#   rt.pl MAILS FOLDER HOOK
use strict;
use warnings;
use JSON;
use Digest::SHA 'sha256_hex';
use RT -init;
use RT::Interface::Email;

my ( $mails, $folder, $hook ) = @ARGV;
my $queue = RT::Queue->new( RT->SystemUser );
$queue->Load('General');

# As docs/helpdesks/rt.md says to set it.
my $everyone = RT::Group->new( RT->SystemUser );
$everyone->LoadSystemInternalGroup('Everyone');
$everyone->PrincipalObj->GrantRight( Right => $_, Object => $queue )
    for qw(CreateTicket ReplyToTicket SeeQueue);
my $autoreply = RT::Scrip->new( RT->SystemUser );
$autoreply->LoadByCols( Description => 'On Create Autoreply To Requestors' );
$autoreply->SetDisabled(1);
my $scrip = RT::Scrip->new( RT->SystemUser );
my ( $made, $why ) = $scrip->Create(
    Queue             => $queue->id,
    Description       => 'Incident Reporter',
    ScripCondition    => 'On Transaction',
    ScripAction       => 'User Defined',
    Template          => 'Blank',
    CustomPrepareCode => '1;',
    CustomCommitCode  => read_file($hook),
);
die $why if !$made;

my $last;
for my $path ( sort glob("$mails/*.eml") ) {
    my ( $status, $error, $ticket ) = RT::Interface::Email::Gateway(
        { message => read_file($path), queue => 'General', action => 'correspond' } );
    warn "$path: $error\n" if $status != 1;
    $last = $ticket;
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
my $on_arrival = sent();

my $agent = RT::User->new( RT->SystemUser );
$agent->Create( Name => 'ana', EmailAddress => 'ana@example.com', Privileged => 1 );
$agent->PrincipalObj->GrantRight( Right => $_, Object => $queue )
    for qw(ShowTicket ReplyToTicket ModifyTicket OwnTicket);
my $answered = RT::Ticket->new( RT::CurrentUser->new( $agent->id ) );
$answered->Load( $last->id );
$answered->Correspond( Content => 'Estamos en ello.' );
$answered->SetStatus('resolved');
my $sent = sent();

binmode STDOUT, ":utf8";
print JSON->new->canonical->encode(
    {   tickets    => \@tickets,
        on_arrival => $on_arrival,
        on_answer  => [ @$sent[ @$on_arrival .. $#$sent ] ],
    }
);

sub read_file {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}

# What RT handed to its mail server, which is a script that keeps each in a file.
sub sent {
    my @sent;
    for my $path ( sort { -M $b <=> -M $a || $a cmp $b } glob("$folder/sent/*") ) {
        my $mail = read_file($path);
        my ($to) = $mail =~ /^To: (.*)$/m;
        push @sent, { to => [ split /,\s*/, $to // '' ], text => $mail };
    }
    return \@sent;
}
