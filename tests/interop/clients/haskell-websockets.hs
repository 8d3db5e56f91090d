-- SPDX-License-Identifier: MIT
{-# LANGUAGE OverloadedStrings #-}
import Control.Exception (try)
import Control.Monad (forM_, when)
import qualified Data.ByteString.Char8 as B
import qualified Data.Text as T
import qualified Data.Text.IO as T
import Network.WebSockets
import System.Environment (getArgs)
import System.IO

loop :: Connection -> IO ()
loop connection = do
  received <- try (receiveData connection)
  case received of
    Left problem -> putStrLn ("closed " ++ show (problem :: ConnectionException))
    Right text -> do
      T.putStrLn (T.append "message " text)
      when (">" `T.isPrefixOf` text) $
        sendTextData connection (T.drop 1 text)
      when (text == "bye") $ sendClose connection ("" :: T.Text)
      loop connection

main :: IO ()
main = do
  hSetBuffering stdout LineBuffering
  url : protocol : texts <- getArgs
  let rest = drop (length ("ws://" :: String)) url
      (authority, path) = break (== '/') rest
      (host, port) = break (== ':') authority
      headers = [("Sec-WebSocket-Protocol", B.pack protocol) | protocol /= ""]
  runClientWith host (read (drop 1 port)) path defaultConnectionOptions headers $
    \connection -> do
      putStrLn (unwords (filter (/= "") ["open", protocol]))
      forM_ texts $ \text -> sendTextData connection (T.pack text)
      loop connection
