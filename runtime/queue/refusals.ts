import { RequestError } from '../errors.ts';

const RETRY_AFTER_DOWN_SECONDS = 5;

export function modelNotReady(): RequestError {
  return new RequestError('ModelNotReady', 'the model is not ready', RETRY_AFTER_DOWN_SECONDS);
}

export function overloaded(message: string, retryAfterSeconds: number): RequestError {
  return new RequestError('Overloaded', message, retryAfterSeconds);
}

export function expired(): RequestError {
  return new RequestError('DeadlineExceeded', "the request's deadline passed before the model could run it");
}

export function executorLost(): RequestError {
  return new RequestError('ExecutorLost', 'the process that runs the model ended under this request', 1);
}

export function inputQuarantined(): RequestError {
  return new RequestError(
    'InputQuarantined',
    'the process that runs the model ended twice under this input, so it is not run again for ten minutes',
  );
}
