# SPDX-License-Identifier: Apache-2.0
#
# Completion of retentionctl for fish. It asks the program itself, whose verb `complete` knows what
# can follow.

# What stands before the cursor, as fish has split it; the last word is the one to complete.
function __retentionctl_complete
    set -l words (commandline -opc)
    set -l word (string unescape -- (commandline -ct))
    set -l assigned

    # NAME=VALUE before the command is its environment.
    while string match -qr '^\w+=' -- "$words[1]"
        set -a assigned $words[1]
        set -e words[1]
    end

    set -l told (command env $assigned retentionctl complete -- $words[2..] "$word" 2>/dev/null)
    set -l directive "$told[-1]"
    string match -v ':*' -- $told

    switch "$directive"
        case ':files '
            # As fish does it for a program that it knows nothing of: ~ and all.
            complete -C "'' "(commandline -ct)
        case ':files *'
            set -l start (string replace ':files ' '' -- "$directive")
            set -l rest (string sub --start (math (string length -- "$start") + 1) -- "$word")
            for file in (__fish_complete_path "$rest")
                printf '%s\n' "$start$file"
            end
        case ':commands'
            __fish_complete_command
    end
end

complete -c retentionctl -f -a '(__retentionctl_complete)'
