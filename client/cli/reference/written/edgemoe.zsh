#compdef edgemoe
# SPDX-License-Identifier: Apache-2.0
# Written by `edgemoe completion`.

_edgemoe() {
  local curcontext=$curcontext state line
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
        'setup:Choose a model for this machine, download it, and have the daemon serve it'
        'complete:Continue a text'
        'chat:Talk with the model; one answer when standard input is not a terminal'
        'tokenize:Text to tokens'
        'detokenize:Tokens to text; ids as arguments or on standard input'
        'template:The prompt that a chat would run'
        'score:Perplexity of a text under the model'
        'embed:Vectors of texts, as JSON: an object a line with index, values and tokens'
        'plan:How a memory budget would be shared out, loading nothing'
        'stats:What the daemon is doing'
        'health:Whether requests are served: exit code 0, else 69; for scripts and probes'
        'resize:Another memory budget, while requests go on'
        'probe:How fast the storage under the model is'
        'doctor:What on this machine keeps the daemon from working well, and the commands that mend it'
        'ps:Requests that wait or run: yours; as an administrator, all'
        'abort:End a request'
        'models:The models that there are'
        'pull:Download a model into the daemon'\''s directory; goes on where it was cut'
        'pack:Write a model anew so that each expert is read at once, with fewer bits where they matter least; the daemon does it'
        'trace:What routers choose'
        'completion:What makes a shell complete this command line: source it there'
        'manual:The manual page, for man(1): edgemoe manual | man -l -'
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
        setup) _edgemoe_setup ;;
        complete) _edgemoe_complete ;;
        chat) _edgemoe_chat ;;
        tokenize) _edgemoe_tokenize ;;
        detokenize) _edgemoe_detokenize ;;
        template) _edgemoe_template ;;
        score) _edgemoe_score ;;
        embed) _edgemoe_embed ;;
        plan) _edgemoe_plan ;;
        stats) _edgemoe_stats ;;
        health) _edgemoe_health ;;
        resize) _edgemoe_resize ;;
        probe) _edgemoe_probe ;;
        doctor) _edgemoe_doctor ;;
        ps) _edgemoe_ps ;;
        abort) _edgemoe_abort ;;
        models) _edgemoe_models ;;
        pull) _edgemoe_pull ;;
        pack) _edgemoe_pack ;;
        trace) _edgemoe_trace ;;
        completion) _edgemoe_completion ;;
        manual) _edgemoe_manual ;;
      esac
      ;;
  esac
}

_edgemoe_setup() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-m[This one\: a model that is here, a short name as qwen3-30b-a3b, or hf.co/ORG/REPO\:QUANT (default\: ask)]:NAME:' \
    '--model[This one\: a model that is here, a short name as qwen3-30b-a3b, or hf.co/ORG/REPO\:QUANT (default\: ask)]:NAME:' \
    '--budget[Memory for everything, as in 1200MiB (default\: what the daemon chooses)]:SIZE:' \
    '-y[Take the recommended model without asking]' \
    '--yes[Take the recommended model without asking]' \
    '--no-start[Write the configuration only\: the daemon takes it over when it starts]' \
    '--config-folder[Folder of the daemon'\''s drop-ins (default\: edgemoe/edgemoed.d in /etc for root, in ~/.config for others)]:FOLDER:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_complete() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-f[The text from a file; - is standard input]:FILE:_files' \
    '--file[The text from a file; - is standard input]:FILE:_files' \
    '--prompt-tokens[The prompt as token ids, separated by commas]:IDS:' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '-t[0 takes the most likely token (default 0.8)]:T:' \
    '--temperature[0 takes the most likely token (default 0.8)]:T:' \
    '--top-k[Only the K most likely tokens; 0\: all (default 40)]:K:' \
    '--top-p[Fewest tokens that reach this probability (default 0.95)]:P:' \
    '--min-p[Least probability relative to the best token (default 0.05)]:P:' \
    '--repetition-penalty[Divides the logits of recent tokens (default 1\: off)]:X:' \
    '--presence-penalty[Taken off the logits of tokens that occurred (default 0)]:X:' \
    '--frequency-penalty[Taken off for each occurrence (default 0)]:X:' \
    '--penalty-last-n[Recent tokens that the penalties see (default 64)]:N:' \
    '--seed[The same seed gives the same answer (default\: random)]:SEED:' \
    '--logit-bias[Adds BIAS to a token'\''s logit; may be repeated]:TOKEN=BIAS:' \
    '-n[Tokens to write at most]:N:' \
    '--max-tokens[Tokens to write at most]:N:' \
    '--time-limit[How long the answer may take, its wait included]:SECONDS:' \
    '--ignore-end[Go on past the model'\''s own end token]' \
    '--stop[Text that ends the answer; may be repeated]:TEXT:' \
    '--stop-token[Token that ends the answer; may be repeated]:ID:' \
    '--logprobs[With --json\: log-probabilities of each token and of N alternatives]:N:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_chat() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--system[System message]:TEXT:' \
    '--message[Ask this and leave]:TEXT:' \
    '--tools[JSON\: tools that the model may call, each with a command that is run for it]:FILE:_files' \
    '--yes[Run tools without asking]' \
    '--think[Whether the model thinks first (default\: as its template has it)]' \
    '--no-think[Whether the model thinks first (default\: as its template has it)]' \
    '--reasoning-effort[How much it thinks, as the template knows it\: low, medium, high]:EFFORT:' \
    '--reasoning-limit[Tokens after which its thinking is closed]:N:' \
    '--var[Variable for the chat template, as in enable_thinking=false; may be repeated]:NAME=JSON:' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '-t[0 takes the most likely token (default 0.8)]:T:' \
    '--temperature[0 takes the most likely token (default 0.8)]:T:' \
    '--top-k[Only the K most likely tokens; 0\: all (default 40)]:K:' \
    '--top-p[Fewest tokens that reach this probability (default 0.95)]:P:' \
    '--min-p[Least probability relative to the best token (default 0.05)]:P:' \
    '--repetition-penalty[Divides the logits of recent tokens (default 1\: off)]:X:' \
    '--presence-penalty[Taken off the logits of tokens that occurred (default 0)]:X:' \
    '--frequency-penalty[Taken off for each occurrence (default 0)]:X:' \
    '--penalty-last-n[Recent tokens that the penalties see (default 64)]:N:' \
    '--seed[The same seed gives the same answer (default\: random)]:SEED:' \
    '--logit-bias[Adds BIAS to a token'\''s logit; may be repeated]:TOKEN=BIAS:' \
    '-n[Tokens to write at most]:N:' \
    '--max-tokens[Tokens to write at most]:N:' \
    '--time-limit[How long the answer may take, its wait included]:SECONDS:' \
    '--ignore-end[Go on past the model'\''s own end token]' \
    '--stop[Text that ends the answer; may be repeated]:TEXT:' \
    '--stop-token[Token that ends the answer; may be repeated]:ID:' \
    '--logprobs[With --json\: log-probabilities of each token and of N alternatives]:N:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_tokenize() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-f[The text from a file; - is standard input]:FILE:_files' \
    '--file[The text from a file; - is standard input]:FILE:_files' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--no-special[Do not add the model'\''s begin token]' \
    '--plain[Read names of special tokens as plain text]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_detokenize() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--no-special[Leave special tokens out]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_template() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--system[System message]:TEXT:' \
    '--no-generation-prompt[Do not open the assistant'\''s answer]' \
    '--think[Whether the model thinks first (default\: as its template has it)]' \
    '--no-think[Whether the model thinks first (default\: as its template has it)]' \
    '--reasoning-effort[How much it thinks, as the template knows it\: low, medium, high]:EFFORT:' \
    '--var[Variable for the chat template, as in enable_thinking=false; may be repeated]:NAME=JSON:' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_score() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-f[The text from a file; - is standard input]:FILE:_files' \
    '--file[The text from a file; - is standard input]:FILE:_files' \
    '--window[Tokens scored together when the text is longer (default\: the context)]:TOKENS:' \
    '--logprobs[With --json\: log-probabilities of N alternatives for each token]:N:' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_embed() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--pooling[mean of the tokens'\'' hidden states, or the last or first one (default\: as the model'\''s file says, else mean)]:NAME:' \
    '--raw[Vectors as they are, not of length 1]' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_plan() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-m[Name of a loaded model (default\: the only one)]:NAME:' \
    '--model[Name of a loaded model (default\: the only one)]:NAME:' \
    '--budget[Memory for everything, as in 1200MiB (default\: the daemon'\''s)]:SIZE:' \
    '--context[Longest sequence in tokens]:TOKENS:' \
    '--sessions[Requests that run at once]:N:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_stats() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_health() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--alive[Whether the daemon answers at all\: also while it loads or stops]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_resize() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_probe() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--fresh[Measure anew, which takes about a second, instead of telling what is known]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_doctor() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_ps() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_abort() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_models() {
  local curcontext=$curcontext state line
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
        'ls:All of them'
        'show:One of them; or, before anything is downloaded, what this machine could do with each quant of a repository'
        'add:Make a file one of the models, by a link in the daemon'\''s directory'
        'rm:Remove a model from the daemon'\''s directory'
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
        ls) _edgemoe_models_ls ;;
        show) _edgemoe_models_show ;;
        add) _edgemoe_models_add ;;
        rm) _edgemoe_models_rm ;;
      esac
      ;;
  esac
}

_edgemoe_models_ls() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_models_show() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_models_add() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*:file:_files'
}

_edgemoe_models_rm() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-y[Without a question]' \
    '--yes[Without a question]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_pull() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--rate-limit[Bytes a second at most, as in 10MiB]:SIZE:' \
    '--reserve[What stays free on the disk (default 1GiB)]:SIZE:' \
    '--allow-private-redirects[Follow redirects to addresses that are not public]' \
    '--pack[Bits a weight at most, over the whole file, as in 3.5]:BITS:' \
    '--bits[Bits a weight at most, over the whole file, as in 3.5]:BITS:' \
    '--size[Length of the pack at most, as in 12GiB]:SIZE:' \
    '--max-kl[Smallest pack whose mean KL divergence to the source is at most this, in nats]:KL:' \
    '--max-ppl-increase[Smallest pack whose perplexity is at most this much higher, as in 1%]:SHARE:' \
    '--cancel[End the download that runs, or the pack that follows it]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_pack() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-o[The pack, beside the source or in the daemon'\''s models.directory (default\: SOURCE-pack.gguf)]:FILE:_files' \
    '--output[The pack, beside the source or in the daemon'\''s models.directory (default\: SOURCE-pack.gguf)]:FILE:_files' \
    '--overwrite[Replace a file that is there]' \
    '--bits[Bits a weight at most, over the whole file, as in 3.5]:BITS:' \
    '--size[Length of the pack at most, as in 12GiB]:SIZE:' \
    '--max-kl[Smallest pack whose mean KL divergence to the source is at most this, in nats]:KL:' \
    '--max-ppl-increase[Smallest pack whose perplexity is at most this much higher, as in 1%]:SHARE:' \
    '--method[How types are chosen\: sensitivity (by what errors do to the output; the default with a target), uniform (one type for all), edgemoe (the paper'\''s search), copy]:NAME:' \
    '--granularity[What has types of its own\: expert (each expert'\''s gate, up and down; the default) or role (each layer'\''s)]:NAME:' \
    '--calibration[UTF-8 text like that which the model will read and write (default\: the daemon'\''s own)]:FILE:_files' \
    '--plan[Show the types and the expected size and damage; write no pack]' \
    '--memory[Of the daemon'\''s memory budget, while it measures (default\: half of what the loaded model can give)]:SIZE:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_trace() {
  local curcontext=$curcontext state line
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
        'record:Write down what routers choose from now on, as CSV; Ctrl-C ends it'
        'replay:Run a recorded trace through caches, without a model: see edgemoe-bench replay'
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
        record) _edgemoe_trace_record ;;
        replay) _edgemoe_trace_replay ;;
      esac
      ;;
  esac
}

_edgemoe_trace_record() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '-o[A new file; -\: standard output]:FILE:_files' \
    '--output[A new file; -\: standard output]:FILE:_files' \
    '--steps[End after about so many steps]:N:' \
    '--seconds[End after so long]:SECONDS:' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_trace_replay() {
  _arguments -C \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_completion() {
  local curcontext=$curcontext state line
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
        'bash:For bash'
        'zsh:For zsh'
        'fish:For fish'
      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
        bash) _edgemoe_completion_bash ;;
        zsh) _edgemoe_completion_zsh ;;
        fish) _edgemoe_completion_fish ;;
      esac
      ;;
  esac
}

_edgemoe_completion_bash() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_completion_zsh() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_completion_fish() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe_manual() {
  _arguments -C \
    '-h[Print this help message and exit]' \
    '--help[Print this help message and exit]' \
    '--version[Display program version information and exit]' \
    '-s[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--socket[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--address[The daemon'\''s unix socket, or host\:port (default\: $EDGEMOE_SOCKET, the user'\''s or the system'\''s socket)]:ADDRESS:' \
    '--json[JSON on stdout\: an object, or one a line for streams]' \
    '-v[The request'\''s id; speed and storage account after an answer]' \
    '--verbose[The request'\''s id; speed and storage account after an answer]' \
    '--wait[Seconds to wait for a daemon that is not there yet or is loading]:SECONDS:' \
    '*: :'
}

_edgemoe "$@"
