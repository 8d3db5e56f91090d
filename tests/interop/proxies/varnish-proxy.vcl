vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
    .proxy_header = 2;
}

sub vcl_recv {
    if (req.http.Upgrade ~ "(?i)websocket" || req.url ~ "/events(\?|$)") {
        return (pipe);
    }
    return (pass);
}

sub vcl_pipe {
    if (req.http.Upgrade) {
        set bereq.http.Upgrade = req.http.Upgrade;
        set bereq.http.Connection = req.http.Connection;
    }
}
