# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tegata_global_optspecs
    string join \n h/help V/version
end

function __fish_tegata_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tegata_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tegata_using_subcommand
    set -l cmd (__fish_tegata_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tegata -n "__fish_tegata_needs_command" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_needs_command" -s V -l version -d 'Print version'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "setup" -d 'Sign in, and write a profile for every role you choose'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "login" -d 'Sign in to an organisation or the console, by MFA code or PIN, or in a CI job'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "logout" -d 'Sign out: revoke the sign-in at AWS and forget its tokens and credentials'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "credential-process" -d 'Print the credentials of a profile for an AWS tool, as JSON'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "status" -d 'Show the sign-in sessions, the store and the daemon, the grants and what waits for a hand'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "list" -d 'List the profiles of the AWS config file'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "console" -d 'Open AWS\'s web console in your browser, signed in as a profile'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "certificate" -d 'Certificates for IAM Roles Anywhere: list them, keep one in the keyring, forget it'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "elevate" -d 'Let a gated profile be used for a while, by a passkey gesture'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "adopt-session" -d 'Take over a sign-in that AWS CLI made, without signing in again'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "approve" -d 'Approve or refuse what waits for a passkey gesture'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "drop" -d 'End the grants of a profile, or all of them'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "exec" -d 'Run a command with the credentials of a profile'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "shell" -d 'Open a shell with the credentials of a profile'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "env" -d 'Print the credentials of a profile as variables'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "passkey" -d 'Enrol passkeys, which approve the use of gated profiles, and manage them'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "policy" -d 'See which rules decide about a profile, check the settings, accept weaker ones'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "review" -d 'List and close reviews of what was used in an emergency'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "lock" -d 'Forget all credentials now and hand out nothing until `tegata unlock`'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "unlock" -d 'Hand out credentials again after `tegata lock`'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "daemon" -d 'Start or stop the daemon, or see whether it runs'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "doctor" -d 'Look for what is wrong or unsafe, and name the command that mends it'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "keys" -d 'Find long-lived keys and put an end to them'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "totp" -d 'Keep the seed of an MFA device in the keyring, so that nobody has to type codes'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "pick" -d 'Choose a profile from a list, by typing some of its name, account or role'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "shell-init" -d 'Print what your shell\'s start file runs: tg, directory defaults, completion, the prompt'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "trust" -d 'Trust the .tegata of a directory to name the profile of shells in it'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "prompt" -d 'Print the profile of this shell, its gate and the time left, for a prompt'
complete -c tegata -n "__fish_tegata_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l start-url -d 'The organisation\'s start URL [default: that of --session, or of the only one there is]' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l region -d 'The region of its IAM Identity Center' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l session -d 'The sign-in session\'s name, [sso-session NAME] [default: after the start URL]' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l accounts -d 'The accounts whose name or id fits one of these patterns, with * and ?' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l roles -d 'The roles whose name fits one of these patterns' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l name-template -d 'How new profiles are named [default: {account|kebab}-{role|kebab}]' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l profile-region -d 'The region of new profiles [default: that of the sign-in session]' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l adopt -d 'Serve these existing profiles, in place and under their names, with the profiles they stand on' -r
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l from -d 'Serve the profiles of another tool, in place and under their names' -r -f -a "granted\t'Profiles with granted_sso_* keys, or generated by granted'
aws-sso-cli\t'Profiles between the markers of aws-sso'
aws-vault\t'Profiles that aws-vault serves, include_profile resolved'"
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l all -d 'Every role of every account'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l prune -d 'Remove the profiles of roles that AWS no longer lists for you'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l dry-run -d 'Show the difference and write nothing'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -s y -l yes -d 'Write without asking'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l no-sign-in -d 'Fail where somebody would have to sign in first'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l device-code -d 'Show a code to be entered on a page in any browser'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l print -d 'Open no page; print its address alone to standard output'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l qr -d 'Open no page; print its address as a QR code'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l undo -d 'Put the AWS config file back as it was before setup wrote it last'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -l force -d 'Undo although the file was edited since'
complete -c tegata -n "__fish_tegata_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand login" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand login" -l console -d 'Sign in to the AWS console for this profile, which is written if it is not there' -r
complete -c tegata -n "__fish_tegata_using_subcommand login" -l region -d 'The region to sign in to [default: the profile\'s]' -r
complete -c tegata -n "__fish_tegata_using_subcommand login" -l device-code -d 'Show a code to be entered on a page in any browser'
complete -c tegata -n "__fish_tegata_using_subcommand login" -l print -d 'Open no page; print its address alone to standard output'
complete -c tegata -n "__fish_tegata_using_subcommand login" -l qr -d 'Open no page; print its address as a QR code'
complete -c tegata -n "__fish_tegata_using_subcommand login" -l remote -d 'Sign in with a browser on another machine, and paste what its page shows'
complete -c tegata -n "__fish_tegata_using_subcommand login" -l yes -d 'Write the profile without asking'
complete -c tegata -n "__fish_tegata_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand credential-process" -l profile -d 'The profile [default: the value of AWS_PROFILE]' -r
complete -c tegata -n "__fish_tegata_using_subcommand credential-process" -l wait -d 'Wait so many seconds for a person to sign in [default: 15, and only while somebody is signing in]' -r
complete -c tegata -n "__fish_tegata_using_subcommand credential-process" -l force -d 'Print to a terminal too, where everybody behind you and the scrollback can read them'
complete -c tegata -n "__fish_tegata_using_subcommand credential-process" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand status" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand status" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand list" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand console" -s s -l service -d 'Show a service, such as s3, ec2 or logs' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -s r -l region -d 'Show this region [default: the profile\'s]' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l path -d 'Show this page: a path such as /s3/home, or an address copied from the console' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l for -d 'How long the console session is to last, as 30m or 1h, 15m to 12h [default: as long as the credentials]' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l browser-profile -d 'Open it in this profile of the browser' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l container -d 'Open it in a Firefox container, by default one named after the profile; needs an extension' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l container-extension -d 'The extension that opens containers' -r -f -a "open-url-in-container\t'Open external links in a container, and its successors'
granted\t'Granted Containers'"
complete -c tegata -n "__fish_tegata_using_subcommand console" -l wait -d 'Wait so many seconds for a hand or a sign-in [default: 15]' -r
complete -c tegata -n "__fish_tegata_using_subcommand console" -l logout-first -d 'Sign out of the console first'
complete -c tegata -n "__fish_tegata_using_subcommand console" -l read-only -d 'Sign in as the profile\'s read-only sibling'
complete -c tegata -n "__fish_tegata_using_subcommand console" -l print -d 'Open no page; print the link alone to standard output. Whoever has it signs in'
complete -c tegata -n "__fish_tegata_using_subcommand console" -l copy -d 'Open no page; copy the link to the clipboard'
complete -c tegata -n "__fish_tegata_using_subcommand console" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and not __fish_seen_subcommand_from list import remove help" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and not __fish_seen_subcommand_from list import remove help" -f -a "list" -d 'List the certificates of profiles that start from one, and when they end'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and not __fish_seen_subcommand_from list import remove help" -f -a "import" -d 'Keep a certificate and its key in the keyring, so that no key lies in a file'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and not __fish_seen_subcommand_from list import remove help" -f -a "remove" -d 'Forget the certificate that is kept for a profile. Its files, if there are any, stay'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and not __fish_seen_subcommand_from list import remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from list" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from import" -l certificate -d 'The certificate (PEM); intermediates may follow it' -r -F
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from import" -l intermediates -d 'The certificates between it and the trust anchor, where they are in a file of their own' -r -F
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from import" -l key -d 'The private key (PEM): PKCS #8, PKCS #1 or SEC 1, encrypted or not' -r -F
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the certificates of profiles that start from one, and when they end'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from help" -f -a "import" -d 'Keep a certificate and its key in the keyring, so that no key lies in a file'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Forget the certificate that is kept for a profile. Its files, if there are any, stay'
complete -c tegata -n "__fish_tegata_using_subcommand certificate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -l for -d 'How long, as 90s, 30m or 1h; the rules may shorten it [default: as long as the rules allow]' -r
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -l reason -d 'Why; it goes into the records, and to CloudTrail where AWS has a place for it' -r
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -l everywhere -d 'Let every program of yours use it, where the rules allow that'
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand elevate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand adopt-session" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand approve" -l reason -d 'Why, where the request has no reason yet' -r
complete -c tegata -n "__fish_tegata_using_subcommand approve" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand approve" -l refuse -d 'Say no; whoever asks is refused for a while'
complete -c tegata -n "__fish_tegata_using_subcommand approve" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand drop" -l all -d 'End every grant'
complete -c tegata -n "__fish_tegata_using_subcommand drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand exec" -l region -d 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile\'s]' -r
complete -c tegata -n "__fish_tegata_using_subcommand exec" -l wait -d 'Wait so many seconds for a person to approve or sign in [default: 15]' -r
complete -c tegata -n "__fish_tegata_using_subcommand exec" -l read-only -d 'Take the profile that reads the same account and changes nothing'
complete -c tegata -n "__fish_tegata_using_subcommand exec" -l env -d 'Hand over variables that expire, in place of an endpoint'
complete -c tegata -n "__fish_tegata_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand shell" -l region -d 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile\'s]' -r
complete -c tegata -n "__fish_tegata_using_subcommand shell" -l wait -d 'Wait so many seconds for a person to approve or sign in [default: 15]' -r
complete -c tegata -n "__fish_tegata_using_subcommand shell" -l read-only -d 'Take the profile that reads the same account and changes nothing'
complete -c tegata -n "__fish_tegata_using_subcommand shell" -l env -d 'Hand over variables that expire, in place of an endpoint'
complete -c tegata -n "__fish_tegata_using_subcommand shell" -l nested -d 'Open it within another one'
complete -c tegata -n "__fish_tegata_using_subcommand shell" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand env" -l region -d 'The region [default: AWS_REGION or AWS_DEFAULT_REGION, else the profile\'s]' -r
complete -c tegata -n "__fish_tegata_using_subcommand env" -l wait -d 'Wait so many seconds for a person to approve or sign in [default: 15]' -r
complete -c tegata -n "__fish_tegata_using_subcommand env" -l format -d 'How they are written' -r -f -a "bash\t'For bash, zsh and sh'
fish\t'For fish'
powershell\t'For PowerShell'
dotenv\t'One NAME=value a line'
json\t'One object'
github-actions\t'Into the file of GITHUB_ENV, masked in the log'"
complete -c tegata -n "__fish_tegata_using_subcommand env" -l read-only -d 'Take the profile that reads the same account and changes nothing'
complete -c tegata -n "__fish_tegata_using_subcommand env" -l force -d 'Print to a terminal too, where everybody behind you and the scrollback can read them'
complete -c tegata -n "__fish_tegata_using_subcommand env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "add" -d 'Enrol a passkey'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "list" -d 'List the passkeys'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "rename" -d 'Give a passkey another name'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "remove" -d 'Remove a passkey, by the gesture of one that is enrolled'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "test" -d 'Try a passkey. Nothing follows from it'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "reset" -d 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and not __fish_seen_subcommand_from add list rename remove test reset help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from add" -l person -d 'Whose it is [default: your user name]' -r
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from add" -l name -d 'What it is to be called [default: asks]' -r
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from add" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from add" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from list" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from remove" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from remove" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from test" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from test" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from reset" -l yes -d 'Do not ask whether it is meant'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "add" -d 'Enrol a passkey'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the passkeys'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "rename" -d 'Give a passkey another name'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a passkey, by the gesture of one that is enrolled'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "test" -d 'Try a passkey. Nothing follows from it'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "reset" -d 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in'
complete -c tegata -n "__fish_tegata_using_subcommand passkey; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and not __fish_seen_subcommand_from explain check accept help" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and not __fish_seen_subcommand_from explain check accept help" -f -a "explain" -d 'Explain which rules decide about a profile, and what they demand'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and not __fish_seen_subcommand_from explain check accept help" -f -a "check" -d 'Check the settings as they are written, and show what of them is in force'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and not __fish_seen_subcommand_from explain check accept help" -f -a "accept" -d 'Accept settings that are weaker than those in force, by a passkey gesture'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and not __fish_seen_subcommand_from explain check accept help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from explain" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from accept" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from accept" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "explain" -d 'Explain which rules decide about a profile, and what they demand'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check the settings as they are written, and show what of them is in force'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "accept" -d 'Accept settings that are weaker than those in force, by a passkey gesture'
complete -c tegata -n "__fish_tegata_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand review; and not __fish_seen_subcommand_from list close help" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand review; and not __fish_seen_subcommand_from list close help" -f -a "list" -d 'List the reviews that are open'
complete -c tegata -n "__fish_tegata_using_subcommand review; and not __fish_seen_subcommand_from list close help" -f -a "close" -d 'Close a review with what was found'
complete -c tegata -n "__fish_tegata_using_subcommand review; and not __fish_seen_subcommand_from list close help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from close" -l note -d 'What the review found; it goes into the records' -r
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the reviews that are open'
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from help" -f -a "close" -d 'Close a review with what was found'
complete -c tegata -n "__fish_tegata_using_subcommand review; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand lock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand unlock" -l browser -d 'Open the page with this command; %s stands for the address, which comes last without it' -r
complete -c tegata -n "__fish_tegata_using_subcommand unlock" -l print -d 'Open no page; print its address alone to standard output. It is good once'
complete -c tegata -n "__fish_tegata_using_subcommand unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and not __fish_seen_subcommand_from start stop status help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and not __fish_seen_subcommand_from start stop status help" -f -a "start" -d 'Start the daemon if it does not run'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and not __fish_seen_subcommand_from start stop status help" -f -a "stop" -d 'End the daemon once what is under way is done'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and not __fish_seen_subcommand_from start stop status help" -f -a "status" -d 'Say whether the daemon runs; exit code 16 when it does not'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and not __fish_seen_subcommand_from start stop status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start the daemon if it does not run'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from help" -f -a "stop" -d 'End the daemon once what is under way is done'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say whether the daemon runs; exit code 16 when it does not'
complete -c tegata -n "__fish_tegata_using_subcommand daemon; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand doctor" -l json -d 'Print what was measured and found, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand doctor" -l fix -d 'Mend paths of tegata in AWS config that lead nowhere; a copy of the file is kept'
complete -c tegata -n "__fish_tegata_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -f -a "scan" -d 'Find AWS credentials that lie about in files and variables'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -f -a "import" -d 'Move the access key of a profile from the AWS files into the keyring'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -f -a "rotate" -d 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -f -a "report" -d 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and not __fish_seen_subcommand_from scan import rotate report help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from scan" -l exclude -d 'Leave out files and directories whose name or path fits, with * and ?' -r
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from scan" -l all -d 'Leave out nothing by itself: node_modules, target and the like as well'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from scan" -l json -d 'Print what was looked at and found, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from scan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from import" -l trial -d 'Put the plaintext aside for so many days in place of removing it, for instance 7d' -r
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from import" -l finish -d 'Remove what a trial has put aside'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from import" -l yes -d 'Write without asking'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l grace -d 'How long the old key is kept, deactivated: 90 days at most [default: 24h]' -r
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l finish -d 'Make no key; delete what was replaced, whatever is left of the grace time'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from report" -l json -d 'Print what the daemon says, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "scan" -d 'Find AWS credentials that lie about in files and variables'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "import" -d 'Move the access key of a profile from the AWS files into the keyring'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "rotate" -d 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "report" -d 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands'
complete -c tegata -n "__fish_tegata_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and not __fish_seen_subcommand_from add list remove help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and not __fish_seen_subcommand_from add list remove help" -f -a "add" -d 'Keep the seed of the MFA device that a profile names'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and not __fish_seen_subcommand_from add list remove help" -f -a "list" -d 'List the MFA devices that profiles name, and where their codes come from'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and not __fish_seen_subcommand_from add list remove help" -f -a "remove" -d 'Forget the seed of the MFA device that a profile names'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and not __fish_seen_subcommand_from add list remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from add" -l qr -d 'Read the seed from this picture of a QR code (PNG)' -r -F
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from help" -f -a "add" -d 'Keep the seed of the MFA device that a profile names'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the MFA devices that profiles name, and where their codes come from'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Forget the seed of the MFA device that a profile names'
complete -c tegata -n "__fish_tegata_using_subcommand totp; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand pick" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand shell-init" -l prompt -d 'Show the profile, its gate and the time left in front of the prompt'
complete -c tegata -n "__fish_tegata_using_subcommand shell-init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand trust" -l refuse -d 'Never use it, and do not ask again'
complete -c tegata -n "__fish_tegata_using_subcommand trust" -l list -d 'List what you have answered'
complete -c tegata -n "__fish_tegata_using_subcommand trust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand prompt" -l segment -d 'Print it in parentheses, and so that this shell\'s prompt shows it as it is' -r -f -a "bash\t'bash 3.2 and newer'
zsh\t'zsh 5 and newer'
fish\t'fish 3.4 and newer'
powershell\t'PowerShell 5.1 and newer'"
complete -c tegata -n "__fish_tegata_using_subcommand prompt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "setup" -d 'Sign in, and write a profile for every role you choose'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "login" -d 'Sign in to an organisation or the console, by MFA code or PIN, or in a CI job'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "logout" -d 'Sign out: revoke the sign-in at AWS and forget its tokens and credentials'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "credential-process" -d 'Print the credentials of a profile for an AWS tool, as JSON'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "status" -d 'Show the sign-in sessions, the store and the daemon, the grants and what waits for a hand'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "list" -d 'List the profiles of the AWS config file'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "console" -d 'Open AWS\'s web console in your browser, signed in as a profile'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "certificate" -d 'Certificates for IAM Roles Anywhere: list them, keep one in the keyring, forget it'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "elevate" -d 'Let a gated profile be used for a while, by a passkey gesture'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "adopt-session" -d 'Take over a sign-in that AWS CLI made, without signing in again'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "approve" -d 'Approve or refuse what waits for a passkey gesture'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "drop" -d 'End the grants of a profile, or all of them'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "exec" -d 'Run a command with the credentials of a profile'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "shell" -d 'Open a shell with the credentials of a profile'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "env" -d 'Print the credentials of a profile as variables'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "passkey" -d 'Enrol passkeys, which approve the use of gated profiles, and manage them'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "policy" -d 'See which rules decide about a profile, check the settings, accept weaker ones'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "review" -d 'List and close reviews of what was used in an emergency'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "lock" -d 'Forget all credentials now and hand out nothing until `tegata unlock`'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "unlock" -d 'Hand out credentials again after `tegata lock`'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "daemon" -d 'Start or stop the daemon, or see whether it runs'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "doctor" -d 'Look for what is wrong or unsafe, and name the command that mends it'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "keys" -d 'Find long-lived keys and put an end to them'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "totp" -d 'Keep the seed of an MFA device in the keyring, so that nobody has to type codes'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "pick" -d 'Choose a profile from a list, by typing some of its name, account or role'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "shell-init" -d 'Print what your shell\'s start file runs: tg, directory defaults, completion, the prompt'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "trust" -d 'Trust the .tegata of a directory to name the profile of shells in it'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "prompt" -d 'Print the profile of this shell, its gate and the time left, for a prompt'
complete -c tegata -n "__fish_tegata_using_subcommand help; and not __fish_seen_subcommand_from setup login logout credential-process status list console certificate elevate adopt-session approve drop exec shell env passkey policy review lock unlock daemon doctor keys totp pick shell-init trust prompt help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from certificate" -f -a "list" -d 'List the certificates of profiles that start from one, and when they end'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from certificate" -f -a "import" -d 'Keep a certificate and its key in the keyring, so that no key lies in a file'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from certificate" -f -a "remove" -d 'Forget the certificate that is kept for a profile. Its files, if there are any, stay'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "add" -d 'Enrol a passkey'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "list" -d 'List the passkeys'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "rename" -d 'Give a passkey another name'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "remove" -d 'Remove a passkey, by the gesture of one that is enrolled'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "test" -d 'Try a passkey. Nothing follows from it'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from passkey" -f -a "reset" -d 'Forget all passkeys, for when every one of them is lost. Needs a fresh sign-in'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "explain" -d 'Explain which rules decide about a profile, and what they demand'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "check" -d 'Check the settings as they are written, and show what of them is in force'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "accept" -d 'Accept settings that are weaker than those in force, by a passkey gesture'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from review" -f -a "list" -d 'List the reviews that are open'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from review" -f -a "close" -d 'Close a review with what was found'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from daemon" -f -a "start" -d 'Start the daemon if it does not run'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from daemon" -f -a "stop" -d 'End the daemon once what is under way is done'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from daemon" -f -a "status" -d 'Say whether the daemon runs; exit code 16 when it does not'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "scan" -d 'Find AWS credentials that lie about in files and variables'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "import" -d 'Move the access key of a profile from the AWS files into the keyring'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "rotate" -d 'Turn the access key behind a profile over: a new one is made and proven, the old one deactivated and later deleted'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "report" -d 'Show the access keys of the IAM users that profiles start from: age and last use from IAM, the unused first, with commands'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from totp" -f -a "add" -d 'Keep the seed of the MFA device that a profile names'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from totp" -f -a "list" -d 'List the MFA devices that profiles name, and where their codes come from'
complete -c tegata -n "__fish_tegata_using_subcommand help; and __fish_seen_subcommand_from totp" -f -a "remove" -d 'Forget the seed of the MFA device that a profile names'
