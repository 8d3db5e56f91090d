;; SPDX-License-Identifier: MIT
(require 'websocket)

(defun say (&rest words)
  (message "%s" (mapconcat (lambda (word) (format "%s" word)) words " ")))

(defun told (socket frame)
  (let ((text (websocket-frame-text frame)))
    (say "message" text)
    (when (string-prefix-p ">" text)
      (websocket-send-text socket (substring text 1)))
    (when (equal text "bye")
      (websocket-close socket))))

(setq coding-system-for-write 'utf-8)
(let* ((url (pop command-line-args-left))
       (protocol (pop command-line-args-left))
       (lines (prog1 command-line-args-left (setq command-line-args-left nil)))
       (socket (websocket-open
                url
                :protocols (unless (equal protocol "") (list protocol))
                :on-open (lambda (socket)
                           (say "open" protocol)
                           (dolist (line lines)
                             (websocket-send-text socket line)))
                :on-message #'told
                :on-error (lambda (_ type error) (say "raised" type error))
                :on-close (lambda (_) (say "closed")))))
  (while (not (eq (websocket-ready-state socket) 'closed))
    (accept-process-output nil 0.1)))
