# Feeds the mails of a folder to a fresh Request Tracker, and says as JSON what it made of them.
# The last one is answered, solved and opened again; the scrip HOOK tells it. LOOK is where to ask for
# each step (live.py).
#
#   rt.pl MAILS FOLDER HOOK LOOK
use strict;
use warnings;
use JSON;
use Digest::SHA 'sha256_hex';
use LWP::UserAgent;
use RT -init;
use RT::Interface::Email;

my ( $mails, $folder, $hook, $look ) = @ARGV;
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
    $last = take( read_file($path) );
}
look('created');
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
as_agent()->Correspond( Content => 'Estamos en ello.' );
look('answered');
my $sent = sent();
as_agent()->SetStatus('resolved');
look('solved');
take( look('works') );
look('heard');
as_agent()->SetStatus('resolved');
as_agent()->SetStatus('open');
look('reopened');

binmode STDOUT, ":utf8";
print JSON->new->canonical->encode(
    {   tickets    => \@tickets,
        on_arrival => $on_arrival,
        on_answer  => [ @$sent[ @$on_arrival .. $#$sent ] ],
    }
);

sub take {
    my ( $status, $error, $ticket ) = RT::Interface::Email::Gateway(
        { message => $_[0], queue => 'General', action => 'correspond' } );
    warn "$error\n" if $status != 1;
    return $ticket;
}

sub as_agent {
    my $ticket = RT::Ticket->new( RT::CurrentUser->new( $agent->id ) );
    $ticket->Load( $last->id );
    return $ticket;
}

sub look {
    my $answer = LWP::UserAgent->new->get("$look/$_[0]");
    die $answer->status_line if !$answer->is_success;
    return $answer->content;
}

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
