# Feeds the mails of a folder to a fresh Znuny, and says as JSON what it made of them. The last one is
# answered, solved and opened again; the web service HOOK tells it. LOOK is where to ask for each step
# (live.py). It runs in Znuny's own folder.
#
#   znuny.pl MAILS HOOK TRUSTED LOOK
use strict;
use warnings;
use lib map {"$ENV{ZNUNY_HOME}/$_"} '', 'Kernel/cpan-lib', 'Custom';
use Digest::SHA 'sha256_hex';
use JSON;
use LWP::UserAgent;
use Kernel::System::ObjectManager;

my ( $mails, $hook, $trusted, $look ) = @ARGV;
local $Kernel::OM = Kernel::System::ObjectManager->new( 'Kernel::System::Log' => { LogPrefix => 'trial' } );
my $config = $Kernel::OM->Get('Kernel::Config');
$config->Set( Key => $_, Value => 0 ) for qw(CheckMXRecord CheckEmailInvalidAddress);
my $address = $Kernel::OM->Get('Kernel::System::SystemAddress');
$address->SystemAddressUpdate( %$_, Name => 'support@example.com', Realname => 'Support', ValidID => 1, UserID => 1 )
    for { $address->SystemAddressGet( ID => 1 ) };

my $services = $Kernel::OM->Get('Kernel::System::GenericInterface::Webservice');
$services->WebserviceAdd(
    Name    => 'Incident Reporter',
    Config  => $Kernel::OM->Get('Kernel::System::YAML')->Load( Data => read_file($hook) ),
    ValidID => 1,
    UserID  => 1,
) or die 'web service';

for my $path ( sort glob("$mails/*.eml") ) {
    take( read_file($path) ) or warn "$path: not taken\n";
}
look('created');

my @tickets;
my $last;
for my $id ( sort { $a <=> $b } tickets()->TicketSearch( Result => 'ARRAY', UserID => 1, Permission => 'rw' ) ) {
    my %ticket = tickets()->TicketGet( TicketID => $id, UserID => 1 );
    next if $ticket{Title} =~ /^(?:Welcome|Znuny)/;
    $last = $id;
    my ( @bodies, %files );
    for my $article ( articles()->ArticleList( TicketID => $id ) ) {
        my $backend = articles()->BackendForArticle(%$article);
        my %article = $backend->ArticleGet(%$article);
        push @bodies, $article{Body};
        my %index = $backend->ArticleAttachmentIndex( ArticleID => $article->{ArticleID}, ExcludePlainText => 1 );
        for my $number ( keys %index ) {
            my %file = $backend->ArticleAttachment( ArticleID => $article->{ArticleID}, FileID => $number );
            $files{ $file{Filename} } = sha256_hex( $file{Content} );
        }
    }
    push @tickets,
        {
        subject    => $ticket{Title},
        requesters => [ grep {$_} @ticket{qw(CustomerUserID CustomerID)} ],
        priority   => $ticket{Priority},
        bodies     => \@bodies,
        files      => \%files,
        };
}
my $on_arrival = sent();

my $agent = $Kernel::OM->Get('Kernel::System::User')->UserAdd(
    UserFirstname => 'Ana',
    UserLastname  => 'Ana',
    UserLogin     => 'ana',
    UserEmail     => 'ana@example.com',
    ValidID       => 1,
    ChangeUserID  => 1,
);
# As the screen that answers does: to the Reply-To of the article.
my ($first) = articles()->ArticleList( TicketID => $last );
my %asked = articles()->BackendForArticle(%$first)->ArticleGet(%$first);
articles()->BackendForChannel( ChannelName => 'Email' )->ArticleSend(
    TicketID             => $last,
    SenderType           => 'agent',
    IsVisibleForCustomer => 1,
    From                 => 'support@example.com',
    To                   => $asked{ReplyTo} || $asked{From},
    Subject              => "Re: $asked{Subject}",
    Body                 => 'Estamos en ello.',
    Charset              => 'utf-8',
    MimeType             => 'text/plain',
    HistoryType          => 'SendAnswer',
    HistoryComment       => 'answered',
    UserID               => $agent,
);
settle();
look('answered');
my $on_answer = sent();
set_state('closed successful');
look('solved');
take( look('works') );
look('heard');
set_state('closed successful');
set_state('open');
look('reopened');

binmode STDOUT, ':utf8';
print JSON->new->canonical->encode(
    { tickets => \@tickets, on_arrival => $on_arrival, on_answer => $on_answer } );

sub take {
    my ($mail) = @_;
    my $log = $Kernel::OM->Create(
        'Kernel::System::CommunicationLog',
        ObjectParams => { Transport => 'Email', Direction => 'Incoming' },
    );
    $log->ObjectLogStart( ObjectLogType => 'Message' );
    my $postman = $Kernel::OM->Create(
        'Kernel::System::PostMaster',
        ObjectParams => { CommunicationLogObject => $log, Email => \$mail, Trusted => $trusted },
    );
    my @taken = $postman->Run( Queue => 'Raw' );
    $log->ObjectLogStop( ObjectLogType => 'Message', Status => 'Successful' );
    settle();
    return $taken[0];
}

sub set_state {
    my ($state) = @_;
    tickets()->TicketStateSet( TicketID => $last, State => $state, UserID => $agent );
    settle();
    return;
}

sub look {
    my $answer = LWP::UserAgent->new->get("$look/$_[0]");
    die $answer->status_line if !$answer->is_success;
    return $answer->content;
}

sub tickets  { return $Kernel::OM->Get('Kernel::System::Ticket') }
sub articles { return $Kernel::OM->Get('Kernel::System::Ticket::Article') }

# What Znuny does at the end of each request: the hooks of what has happened.
sub settle {
    $Kernel::OM->ObjectEventsHandle();
    $Kernel::OM->ObjectsDiscard( Objects => ['Kernel::System::Ticket'] );
    return;
}

# What waits to be sent since it was asked for last.
sub sent {
    my $queue = $Kernel::OM->Get('Kernel::System::MailQueue');
    my @sent;
    for my $mail ( @{ $queue->List() } ) {
        push @sent, { to => $mail->{Recipient}, text => "$mail->{Message}{Header}\n\n$mail->{Message}{Body}" };
        $queue->Delete( ID => $mail->{ID} );
    }
    return \@sent;
}

sub read_file {
    open my $file, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return scalar <$file>;
}
