export const INFERENCE_SERVICE = 'inference.GRPCInferenceService';
